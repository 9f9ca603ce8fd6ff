import { describe, expect, it } from "vitest";
import { completion, helpText } from "../../src/ios/complete.ts";
import { emptyConfig } from "../../src/ios/defaults.ts";
import { execRows } from "../../src/ios/exec.ts";
import { modesOf, openConfig, promptOf, typeLine } from "../../src/ios/parse.ts";

const tables = [execRows];

describe("Tab", () => {
  it.each([
    ["sh", "ow "],
    ["show cry", "pto "],
    ["show crypto gkm ks m", "embers "],
    ["show crypto g", ""],
    ["show crypto gk", "m "],
    ["show crypto is", "akmp "],
    ["show run", "ning-config "],
    ["show ip nat tr", "anslations "],
    ["show crypto pki tr", "ustpoints "],
    ["show crypto ikev2 prop", "osal "],
    ["show log", "ging "],
    ["nothing of that ki", ""],
    ["show ", ""],
  ])('"%s" goes on with "%s"', (typed, rest) => {
    expect(completion(tables, typed)).toBe(rest);
  });
});

describe("the question mark", () => {
  it("behind a blank lists all that may follow, and the end of the line where the command is whole", () => {
    expect(helpText(tables, "show crypto isakmp ")).toBe("  key\n  policy\n  profile\n  sa\n");
    expect(helpText(tables, "show crypto pki certificates ")).toBe("  WORD\n  <cr>\n");
    expect(helpText(tables, "show ip route ")).toBe("  <cr>\n");
    expect(helpText(tables, "ping ")).toContain("  A.B.C.D\n");
  });

  it("knows what can be cleared", () => {
    expect(helpText(tables, "clear crypto ")).toBe("  gdoi\n  gkm\n  ikev2\n  isakmp\n  sa\n  session\n");
    expect(helpText(tables, "clear crypto ikev2 sa ")).toBe("  local\n  remote\n  <cr>\n");
    expect(helpText(tables, "clear crypto isakmp ")).toBe("  <1-2147483647>\n  <cr>\n");
  });

  it("behind a beginning lists what it may become", () => {
    expect(helpText(tables, "show crypto i").split(/\s+/)).toEqual(["ikev2", "ipsec", "isakmp", ""]);
    expect(helpText(tables, "show xyz ")).toBe("% Unrecognized command\n");
  });
});

describe("lines typed in configuration mode", () => {
  it("follow the modes, and say what each line is not", () => {
    const session = openConfig(emptyConfig());
    expect(promptOf(session)).toBe("config");
    expect(typeLine(session, "crypto gkm group G")).toEqual({ problems: [], ignored: [] });
    expect(promptOf(session)).toBe("config-gkm-group");
    typeLine(session, "server local");
    expect(promptOf(session)).toBe("gkm-local-server");
    expect(typeLine(session, "rekey timers 5").error).toMatchObject({ code: "iosInvalidInput" });
    expect(typeLine(session, "rekey lifetime seconds 5").error).toMatchObject({ code: "iosRange" });
    expect(typeLine(session, "pfs").problems).toMatchObject([{ code: "iosRefused" }]);
    typeLine(session, "exit");
    typeLine(session, "exit");
    expect(promptOf(session)).toBe("config");
    expect(session.config.groups.get("G")!.server).toBeDefined();
  });

  it("open the modes of keyrings, ISAKMP profiles and identities, each with its prompt and its help", () => {
    const session = openConfig(emptyConfig());
    const help = (text: string) =>
      helpText(
        modesOf(session).map(({ commands }) => commands.filter(({ command }) => command.aside === undefined)),
        text,
      );
    expect(help("crypto isakmp ").match(/\S+/g)).toEqual(
      expect.arrayContaining(["enable", "identity", "keepalive", "nat", "policy", "profile"]),
    );
    typeLine(session, "crypto keyring K");
    expect(promptOf(session)).toBe("conf-keyring");
    expect(help("pre-shared-key ")).toBe("  address\n  hostname\n");
    typeLine(session, "crypto isakmp profile P");
    expect(promptOf(session)).toBe("conf-isa-prof");
    expect(help("match identity ")).toBe("  address\n  group\n  host\n  user\n  user-fqdn\n");
    expect(help("self-identity ")).toBe("  A.B.C.D\n  address\n  fqdn\n  user-fqdn\n");
    expect(help("initiate mode ")).toBe("  aggressive\n  main\n");
    typeLine(session, "crypto identity I");
    expect(promptOf(session)).toBe("config-crypto-identity");
    expect(help("d")).toContain("dn");
    expect(help("crypto map M isakmp-p")).toContain("isakmp-profile");
  });

  it("leave the model that they began with alone, and can be helped", () => {
    const config = emptyConfig();
    const session = openConfig(config);
    typeLine(session, "interface Loopback0");
    expect(config.interfaces.size).toBe(0);
    const commands = modesOf(session).map((mode) => mode.commands);
    expect(completion(commands, "shut")).toBe("down ");
    expect(completion(commands, "no shut")).toBe("down ");
    expect(completion(commands, "crypto ik")).toBe("ev2 ");
  });
});
