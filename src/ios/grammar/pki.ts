/** Public key infrastructure: trustpoints, certificate maps and key pairs on elliptic curves. */
import { newTrustpoint } from "../defaults.ts";
import { type CommandSpec, defineMode, leftAside, obtain, obtainOrdered, sectionsAside } from "../grammar.ts";
import type { CertificateMapLine, EcKey, IosConfig, PkiMapEntry, PkiTrustpoint, RevocationMethod } from "../model.ts";

const trustpointCommands: CommandSpec<PkiTrustpoint>[] = [
  {
    pattern: "enrollment {url | terminal | selfsigned | mode | profile | retry | http-proxy | pkcs12} [<line:rest>]",
    set(target, args) {
      const text = args.words.slice(1).join(" ");
      const topic = args.words[1];
      target.enrollment = [...target.enrollment.filter((line) => line.split(" ")[0] !== topic), text];
    },
    no(target, args) {
      const topic = args.words[1];
      target.enrollment = topic === undefined ? [] : target.enrollment.filter((line) => line.split(" ")[0] !== topic);
    },
  },
  {
    pattern: "subject-name <line:text>",
    set(target, args) {
      target.subjectName = { value: args.text("text")!, at: args.place("text") };
    },
    no(target) {
      target.subjectName = undefined;
    },
  },
  {
    pattern: "subject-alt-name <word:text>",
    set(target, args) {
      target.subjectAltName = args.text("text");
    },
    no(target) {
      target.subjectAltName = undefined;
    },
  },
  {
    pattern: "fqdn <word:text>",
    set(target, args) {
      target.fqdn = args.text("text");
    },
    no(target) {
      target.fqdn = undefined;
    },
  },
  {
    pattern: "revocation-check methods:{crl | none | ocsp}...",
    set(target, args) {
      target.revocationCheck = args.texts<RevocationMethod>("methods");
    },
    no(target) {
      target.revocationCheck = ["none"];
    },
    reset(target) {
      target.revocationCheck = ["crl"];
    },
  },
  {
    pattern: "rsakeypair <word:label> [<360-4096:modulus> [<360-4096:encryption>]]",
    set(target, args) {
      target.rsaKeyPair = { ...args.reference("label")!, modulusBits: args.number("modulus") };
    },
    no(target) {
      target.rsaKeyPair = undefined;
    },
  },
  {
    pattern: "eckeypair <word:label>",
    set(target, args) {
      target.ecKeyPair = args.reference("label");
    },
    no(target) {
      target.ecKeyPair = undefined;
    },
  },
  ...leftAside("the scenario's authority issues without being asked", [
    "auto-enroll [<line:rest>]",
    "authorization <line:rest>",
    "chain-validation <line:rest>",
    "crl <line:rest>",
    "fingerprint <line:rest>",
    "hash {md5 | sha1 | sha256 | sha384 | sha512}",
    "ip-address <line:rest>",
    "match certificate <line:rest>",
    "ocsp <line:rest>",
    "on <line:rest>",
    "password <line:rest>",
    "primary",
    "regenerate",
    "serial-number [none]",
    "source interface <interface:name>",
    "storage <line:rest>",
    "usage <line:rest>",
    "vrf <word:name>",
  ]),
];

const FIELDS = "{alt-subject-name | issuer-name | name | serial-number | subject-name | unstructured-subject-name}";

/** `name` and `no name` mean the first field of that kind; IOS lets a field stand there several times. */
const mapCommands: CommandSpec<PkiMapEntry>[] = [
  {
    pattern: `field:${FIELDS} operator:{co | eq | nc | ne} <line:text>`,
    noExact: true,
    set(target, args) {
      target.lines.push({
        field: args.text<CertificateMapLine["field"]>("field")!,
        operator: args.text<CertificateMapLine["operator"]>("operator")!,
        text: args.text("text")!,
        at: args.at,
      });
    },
    no(target, args) {
      const [field, operator, text] = ["field", "operator", "text"].map((name) => args.text(name));
      target.lines = target.lines.filter(
        (line) => line.field !== field || line.operator !== operator || line.text !== text,
      );
    },
  },
  {
    pattern: "field:{valid-start | expires-on} operator:{lt | ge | eq | ne} <line:text>",
    noExact: true,
    set(target, args) {
      target.lines.push({
        field: args.text<CertificateMapLine["field"]>("field")!,
        operator: args.text<CertificateMapLine["operator"]>("operator")!,
        text: args.text("text")!,
        at: args.at,
      });
    },
    no(target, args) {
      const field = args.text("field");
      target.lines = target.lines.filter((line) => line.field !== field);
    },
  },
];

const trustpointMode = defineMode("trustpoint", "ca-trustpoint", true, trustpointCommands);
const mapMode = defineMode("certificate map", "ca-certificate-map", true, mapCommands);

const ISSUED = "certificates come from the scenario's authority";

/** `crypto ca` is how older images call it. */
function pkiRows(word: "pki" | "ca"): CommandSpec<IosConfig>[] {
  return [
    {
      pattern: `crypto ${word} trustpoint <word:name>`,
      noExact: true,
      enter({ pki }, args) {
        const name = args.text("name")!;
        return { mode: trustpointMode, target: obtain(pki.trustpoints, name, () => newTrustpoint(name, args.at)) };
      },
      no({ pki }, args) {
        pki.trustpoints.delete(args.text("name")!);
      },
    },
    {
      pattern: `crypto ${word} certificate map <word:name> <1-65535:sequence>`,
      noExact: true,
      enter({ pki }, args) {
        const name = args.text("name")!;
        const map = obtain(pki.certificateMaps, name, () => ({ name, at: args.at, entries: new Map() }));
        const sequence = args.number("sequence")!;
        const target = obtainOrdered(map.entries, sequence, () => ({ sequence, at: args.at, lines: [] }));
        return { mode: mapMode, target };
      },
      no({ pki }, args) {
        const map = pki.certificateMaps.get(args.text("name")!);
        map?.entries.delete(args.number("sequence")!);
        if (map?.entries.size === 0) pki.certificateMaps.delete(map.name);
      },
    },
    ...sectionsAside(ISSUED, [`crypto ${word} certificate chain <word:name>`, `crypto ${word} trustpool <line:text>`]),
    ...leftAside(ISSUED, [`crypto ${word} authenticate <line:text>`, `crypto ${word} enroll <line:text>`]),
  ];
}

export const pkiCommands: CommandSpec<IosConfig>[] = [
  ...pkiRows("pki"),
  ...pkiRows("ca"),
  {
    pattern:
      "crypto key generate ec {keysize bits:{256 | 384 | 521} | label <word:label> | exportable:{exportable} | " +
      "signature}...",
    set(target, args) {
      const label = args.text("label") ?? target.hostname ?? "Router";
      const curveBits = Number(args.text("bits") ?? 256) as EcKey["curveBits"];
      target.ecKeys.set(label, { label, curveBits, exportable: args.has("exportable"), at: args.at });
    },
  },
  {
    pattern: "crypto key zeroize ec [<word:label>]",
    set(target, args) {
      const label = args.text("label");
      if (label === undefined) target.ecKeys.clear();
      else target.ecKeys.delete(label);
    },
  },
  ...sectionsAside(ISSUED, ["crypto pki certificate pool", "crypto pki server <word:name>"]),
  ...leftAside(ISSUED, [
    "crypto pki import <line:text>",
    "crypto pki export <line:text>",
    "crypto pki token <line:text>",
    "crypto pki crl <line:text>",
  ]),
];

export const pkiModes = [trustpointMode, mapMode];
