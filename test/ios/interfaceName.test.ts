import { describe, expect, it } from "vitest";
import { canonicalInterface, shortInterface } from "../../src/ios/interfaceName.ts";

describe("interface names", () => {
  it.each([
    ["g0/0", "GigabitEthernet0/0"],
    ["Gi0/0", "GigabitEthernet0/0"],
    ["gigabitethernet 0/0/1.100", "GigabitEthernet0/0/1.100"],
    ["fa0/1", "FastEthernet0/1"],
    ["f0/1", "FastEthernet0/1"],
    ["te1/1", "TenGigabitEthernet1/1"],
    ["tu0", "Tunnel0"],
    ["e0/0", "Ethernet0/0"],
    ["Eth0", "Ethernet0"],
    ["lo0", "Loopback0"],
    ["se0/0/0:15", "Serial0/0/0:15"],
    ["po1", "Port-channel1"],
    ["vlan10", "Vlan10"],
    ["null0", "Null0"],
  ])("%s is %s", (typed, canonical) => {
    expect(canonicalInterface(typed)).toBe(canonical);
  });

  it.each(["t0", "", "0/0", "g", "gig", "wan0", "g0/", "g0/0/0/0/0", "g 0 / 0", "__proto__0"])(
    "%j is none",
    (typed) => {
      expect(canonicalInterface(typed)).toBeUndefined();
    },
  );

  it("the short form leads back to the name", () => {
    for (const name of ["GigabitEthernet0/0", "Loopback7", "Tunnel1", "TwoGigabitEthernet1/0", "TwentyFiveGigE0/1"]) {
      expect(canonicalInterface(shortInterface(name))).toBe(name);
    }
    expect(shortInterface("GigabitEthernet0/0")).toBe("Gi0/0");
    expect(shortInterface("nothing")).toBe("nothing");
  });
});
