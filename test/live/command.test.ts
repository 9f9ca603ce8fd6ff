import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildCli, type Cli } from "../sim/cli/builtCli.ts";
import { describeTool } from "../tools.ts";
import { CHARON_TS, type Charon, connection, describeCharon, OUR_TS, PSK, startCharon } from "./charon.ts";

describeTool("tshark", "apt-get install -y tshark", "getvpn live ike, seen by tshark", () => {
  describeCharon("with charon", () => {
    let charon: Charon;
    let cli: Cli;
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "getvpn-live-"));
      writeFileSync(join(folder, "key"), `${PSK}\n`);
      charon = await startCharon({ port: 15_500, natPort: 14_500 });
      cli = await buildCli();
    });
    afterAll(async () => {
      await charon?.stop();
      rmSync(folder, { recursive: true });
    });

    it.each([
      ["aes256-sha256-modp2048", "aes256gcm16"],
      ["aes128gcm16-prfsha256-ecp256", "aes256-sha256"],
      ["aes256gcm16-prfsha256-x25519", "aes128gcm16"],
    ])("%s with %s: pings, rekeys, deletes, and every packet is what it should be", async (ike, esp) => {
      await charon.load(connection(charon, { ike, esp }));
      const target = ["--connect", `${charon.address}:15500`, "--nat-port", "14500", "--psk-file", join(folder, "key")];
      const policy = ["--ike", ike, "--esp", esp, "--local-ts", OUR_TS, "--remote-ts", CHARON_TS];
      const [capture, keys] = [join(folder, "run.pcapng"), join(folder, "keys")];
      const work = ["--local-id", "gm.test", "--ping", "2", "--rekey", "child", "--rekey", "ike"];
      const files = ["--capture", capture, "--keys", keys];
      const { code, stdout, stderr } = await cli.run(["live", "ike", ...target, ...policy, ...work, ...files]);
      expect({ code, stderr: stderr.includes("error") }).toEqual({ code: 0, stderr: false });
      expect(stdout).toContain("pings   6 sent, 6 answered");
      expect(stdout + stderr).not.toContain(PSK);

      const env = { ...process.env, WIRESHARK_CONFIG_DIR: keys };
      const fields = (filter: string) =>
        execFileSync("tshark", ["-n", "-r", capture, "-Y", filter, "-T", "fields", "-e", "frame.number"], {
          env,
          encoding: "utf8",
          stdio: ["ignore", "pipe", "ignore"],
        })
          .split("\n")
          .filter((line) => line !== "");
      expect(fields("icmp.type == 8")).toHaveLength(6);
      expect(fields("icmp.type == 0")).toHaveLength(6);
      expect(fields("esp && !icmp")).toEqual([]);
      expect(fields("isakmp.exchangetype == 36")).toHaveLength(4);
      expect(fields("_ws.malformed || esp.icv_bad == 1")).toEqual([]);
      // Our dissector reads what Wireshark decrypted.
      expect(fields("getvpn.exchange == 36 && getvpn.nonce")).toHaveLength(4);
      expect(fields("getvpn.problem")).toEqual([]);
    });
  });
});
