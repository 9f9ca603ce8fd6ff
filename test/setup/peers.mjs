// Installs the programs that tests run against (a dissector, a browser, another ESP implementation), where this is
// possible: on Debian with apt and as root. Elsewhere the suites that need them are reported as skipped.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const PEERS = [
  { file: "/usr/bin/tshark", packages: ["tshark"] },
  { file: "/usr/bin/chromium", packages: ["chromium", "fonts-dejavu-core"] },
  { file: "/usr/lib/python3/dist-packages/scapy", packages: ["python3-scapy", "python3-cryptography"] },
];

const missing = PEERS.filter(({ file }) => !existsSync(file)).flatMap(({ packages }) => packages);
if (missing.length > 0) {
  const command = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  const possible = process.getuid?.() === 0 && spawnSync("apt-get", ["--version"]).status === 0;
  if (possible) {
    console.error(`test set-up: ${command}`);
    const options = {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    };
    try {
      execFileSync("apt-get", ["update", "-qq"], options);
      execFileSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], options);
    } catch (error) {
      console.error(`test set-up: ${error.message}; suites that need these are skipped`);
    }
  } else {
    console.error(`test set-up: suites that need ${missing.join(", ")} are skipped. On Debian: sudo ${command}`);
  }
}
