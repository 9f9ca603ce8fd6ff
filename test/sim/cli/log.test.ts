import { describe, expect, test } from "vitest";
import { typed } from "./typed.ts";

/** What a device has logged behind `since`: mnemonics alone. */
function mnemonics(text: string): string[] {
  return [...text.matchAll(/%[A-Z]+-\d-([A-Z0-9_]+):/g)].map(([, mnemonic]) => mnemonic!);
}

/** Types configuration lines at the router that is connected. */
function configure(type: (...lines: readonly string[]) => string, ...lines: readonly string[]): void {
  type("configure terminal", ...lines, "end");
}

describe("the log of a router", () => {
  test("says that ISAKMP is on where a role speaks IKE, and nothing of it elsewhere", () => {
    const { type } = typed("why-getvpn.yaml");
    type("until 5s");
    for (const device of ["ks1", "g1", "m1"]) {
      const log = type(`@${device}`, "show logging | begin RESTART").split("\n");
      expect(log[0], device).toMatch(/%SYS-5-RESTART: /);
      expect(log[1], device).toMatch(/%CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON$/);
    }
    expect(type("@nat1", "show logging | include ISAKMP")).toBe("");
  });

  test("says that GDOI is off when the last crypto map with a group is taken off its interface", () => {
    const { type } = typed("lab.yaml");
    type("until 5s", "@gm1");
    configure(type, "interface GigabitEthernet0/0", "no crypto map CRYPTO_MAP");
    const log = type("run 1s", "show logging | begin CONFIG_I");
    expect(mnemonics(log)).toEqual(["CONFIG_I", "GM_CM_DETACH", "GDOI_ON_OFF"]);
    expect(log).toContain("%CRYPTO-6-GDOI_ON_OFF: GDOI is OFF\n");
  });

  test("says how rekeys go from now on, where a group without keys is told to send them otherwise", () => {
    const { type } = typed("lab.yaml");
    type("@ks1");
    configure(
      type,
      "ip access-list extended REKEYS",
      "permit udp host 192.168.1.254 eq 848 host 239.1.1.1 eq 848",
      "crypto gkm group GKM_GROUP",
      "server local",
      "no rekey transport unicast",
      "rekey address ipv4 REKEYS",
    );
    const log = type("show logging | begin CONFIG_I");
    expect(mnemonics(log)).toEqual(["CONFIG_I", "POLICY_CHANGE", "KS_REKEY_TRANS_2_MULTI"]);
    expect(log).toContain("%GDOI-5-KS_REKEY_TRANS_2_MULTI: Group GKM_GROUP transitioned to Multicast Rekey.\n");
  });

  test("but not where members were told already: they go on as before", () => {
    const { type } = typed("lab.yaml");
    type("until 5s", "@ks1");
    configure(
      type,
      "ip access-list extended REKEYS",
      "permit udp host 192.168.1.254 eq 848 host 239.1.1.1 eq 848",
      "crypto gkm group GKM_GROUP",
      "server local",
      "no rekey transport unicast",
      "rekey address ipv4 REKEYS",
    );
    expect(mnemonics(type("show logging | begin CONFIG_I"))).toEqual(["CONFIG_I", "POLICY_CHANGE"]);
  });

  test("says what of a list has no effect", () => {
    const { type } = typed("lab.yaml");
    type("until 5s", "@gm1");
    configure(
      type,
      "ip access-list extended OWN",
      "permit ip any any",
      "crypto map CRYPTO_MAP 10 gkm",
      "match address OWN",
    );
    expect(type("show logging | include PERMIT")).toMatch(
      /%GDOI-3-GM_ACL_PERMIT: GM doesn't support permit configured under local access-list OWN\n$/,
    );
    type("@ks1");
    configure(type, "ip access-list extended ICMP", "permit udp any range 10 20 any");
    expect(type("show logging | include RANGE")).toMatch(/%GDOI-1-GDOI_ACL_RANGE: The ACL ICMP has an entry/);
  });

  test("names the RSA key that a key server has not, and the group that a member cannot register with", () => {
    const { type } = typed("lab.yaml");
    type("until 5s", "@ks1");
    configure(type, "crypto gkm group GKM_GROUP", "server local", "rekey authentication mypubkey rsa OTHER");
    expect(type("show logging | begin CONFIG_I")).toContain(
      "%GDOI-1-KS_NO_RSA_KEYS: RSA Key - OTHER : Not found, Required for group GKM_GROUP\n",
    );
    type("@gm1");
    configure(type, "crypto gkm group GKM_GROUP", "passive");
    expect(type("show logging | begin CONFIG_I")).toContain(
      "%GDOI-3-GM_INCOMPLETE_CFG: Registration: incomplete config for group GKM_GROUP\n",
    );
  });
});
