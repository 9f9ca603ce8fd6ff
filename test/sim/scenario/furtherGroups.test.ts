/** Further groups over one IKE SA in the Cisco dialect, from the configurations on; what was sent is read by the keys. */
import { describe, expect, test } from "vitest";
import { keyRing } from "../../../sim/capture/keyRing.ts";
import { loadScenario } from "../../../sim/scenario/loader.ts";
import type { Run } from "../../../sim/scenario/runner.ts";
import { native } from "../../../src/crypto/native.ts";
import type { Field } from "../../../src/wire/field.ts";
import { dissectIke } from "../../../src/wire/ikeMessage.ts";
import { RFC9838 } from "../../../src/wire/payloads.ts";
import { finishedRun } from "../../scenarios/diskScenario.ts";

const IKE = `
        crypto ikev2 keyring KEYS
         peer ANY
          address 10.0.0.0 255.255.255.0
          pre-shared-key MY_KEY
        crypto ikev2 profile PROFILE
         match identity remote address 10.0.0.0 255.255.255.0
         authentication remote pre-share
         authentication local pre-share
         keyring local KEYS`;

const served = (name: string, number: number, protocol: string) => `
        ip access-list extended ${name}
         permit ${protocol} any any
        crypto gkm group ${name}
         identity number ${number}
         server local
          no gdoi
          gikev2 PROFILE
          address ipv4 10.0.0.254
          rekey algorithm aes 256
          rekey authentication mypubkey rsa RSA_KEYS
          rekey transport unicast
          sa ipsec 1
           profile IPSEC
           match address ipv4 ${name}`;

const joined = (name: string, number: number, sequence: number) => `
        crypto gkm group ${name}
         identity number ${number}
         server address ipv4 10.0.0.254
         client protocol gikev2 PROFILE
        crypto map CM ${sequence} gkm
         set group ${name}`;

const member = (name: string, last: number, tuning: string) => `
    ${name}:
      kind: gm
      wan: Gi0/0
      ${tuning}
      config: |
        hostname ${name.toUpperCase()}${IKE}${joined("RED", 1, 10)}${joined("BLUE", 2, 20)}
        interface GigabitEthernet0/0
         ip address 10.0.0.${last} 255.255.255.0
         crypto map CM`;

/** Members that ask for all keys of BLUE, for its KEK and for its TEKs; a rekey of both groups at 20 s. */
function story(switches: string): Run {
  const text = `name: further-groups
duration: 30s
wan: { latency: 5ms }
dialect-switches: { ${switches} }
topology:
  nodes:
    ks1:
      kind: ks
      wan: Gi0/0
      config: |
        hostname KS1
        crypto key generate rsa modulus 2048 label RSA_KEYS${IKE}
        crypto ipsec transform-set AES esp-aes 256 esp-sha256-hmac
        crypto ipsec profile IPSEC
         set transform-set AES${served("RED", 1, "icmp")}${served("BLUE", 2, "tcp")}
        interface GigabitEthernet0/0
         ip address 10.0.0.254 255.255.255.0${member("gm1", 1, "platform: isr4400")}${member(
           "gm2",
           2,
           "tuning: { wanted-keys: { BLUE: kek } }",
         )}${member("gm3", 3, "tuning: { wanted-keys: { BLUE: teks } }")}
timeline:
  - { do: exec, at: 20s, device: ks1, command: crypto gkm ks rekey }
`;
  return finishedRun(loadScenario(new Map([["x.yaml", text]]), "x.yaml"));
}

interface Message {
  readonly exchange: number;
  readonly isResponse: boolean;
  readonly peer: string;
  readonly fields: readonly Field[];
}

const flat = (field: Field): readonly Field[] => [field, ...field.children.flatMap(flat)];

/** The messages that leave the key server, opened. */
function sentByServer(run: Run): readonly Message[] {
  const { openIke } = keyRing(native, run.keys());
  const server = run.head.devices.findIndex(({ name }) => name === "ks1");
  return [...run.trace.ofKind("packet.sent")].flatMap(({ device, packet }) => {
    const octets = run.trace.packet(packet);
    if (device !== server || octets[9] !== 17) return [];
    const [exchange, flags] = [octets[28 + 18]!, octets[28 + 19]!];
    const fields = flat(dissectIke(octets.subarray(28), RFC9838, openIke));
    return [{ exchange, isResponse: (flags & 0x20) !== 0, peer: `gm${octets[19]}`, fields }];
  });
}

const texts = (message: Message, label: string) =>
  message.fields.filter((field) => field.label === label).map(({ text }) => text);
const POLICY = { KEK: "KEK (1)", TEK: "TEK (3)" };
const KEY = { KEK: "KEK (2)", TEK: "TEK (1)" };

/** Kinds of policies in GSA and of key packets in KD, and whether a SEQ payload stands beside them. */
function granted(message: Message): { readonly kinds: readonly (string | undefined)[]; readonly seq: boolean } {
  const kinds = texts(message, "Type").filter((text) => /^(KEK|TEK) /.test(text ?? ""));
  return { kinds, seq: message.fields.some(({ label }) => /^(X_)?SEQ/.test(label)) };
}

describe("a member of two groups in the Cisco dialect", () => {
  test.each([
    ["kekMessageId", false],
    ["payload", true],
  ] as const)("registers to the second over the SA that stands, for KEK, TEKs or both; numbers as %s", (form, seq) => {
    const run = story(`seq-payload: ${form}`);
    const sent = sentByServer(run);
    const answers = (exchange: number) => {
      const found = sent.filter((message) => message.exchange === exchange && message.isResponse);
      return Object.fromEntries(found.map((message) => [message.peer, granted(message)]));
    };
    const all = { kinds: [POLICY.KEK, POLICY.TEK, KEY.KEK, KEY.TEK], seq };
    expect(answers(39)).toEqual({ gm1: all, gm2: all, gm3: all });
    expect(answers(40)).toEqual({
      gm1: all,
      gm2: { kinds: [POLICY.KEK, KEY.KEK], seq },
      // Without a KEK there is no number of a rekey to tell.
      gm3: { kinds: [POLICY.TEK, KEY.TEK], seq: false },
    });
    const received = [...run.trace.ofKind("gm.rekeyReceived")].map(
      ({ device, data }) => `${run.head.devices[device]!.name} ${data.group} ${data.sequence}`,
    );
    expect(received.sort()).toEqual(["gm1 BLUE 1", "gm1 RED 1", "gm2 BLUE 1", "gm2 RED 1", "gm3 RED 1"]);
    expect([...run.trace.ofKind("gm.rekeyRejected")]).toEqual([]);
  });
});
