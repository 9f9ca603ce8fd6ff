// Installs the programs that tests run against (a dissector, a browser, another ESP and another IKE implementation),
// where this is possible: on Debian with apt and as root. Elsewhere the suites that need them are reported as skipped.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const PEERS = [
  { file: "/usr/bin/tshark", packages: ["tshark"] },
  { file: "/usr/bin/chromium", packages: ["chromium", "fonts-dejavu-core"] },
  { file: "/usr/lib/python3/dist-packages/scapy", packages: ["python3-scapy", "python3-cryptography"] },
  { file: "/usr/sbin/charon-systemd", packages: ["charon-systemd"] },
  { file: "/usr/sbin/swanctl", packages: ["strongswan-swanctl"] },
  { file: "/usr/bin/pki", packages: ["strongswan-pki"] },
  { file: "/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so", packages: ["libcharon-extra-plugins"] },
  { file: "/usr/lib/ipsec/plugins/libstrongswan-openssl.so", packages: ["libstrongswan-standard-plugins"] },
  { file: "/usr/lib/ipsec/plugins/libstrongswan-chapoly.so", packages: ["libstrongswan-extra-plugins"] },
  { file: "/usr/sbin/ip", packages: ["iproute2"] },
  { file: "/usr/bin/ping", packages: ["iputils-ping"] },
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
      // The tests start charon themselves; a service of that name would sit on the ports of the host.
      if (missing.includes("charon-systemd") && existsSync("/run/systemd/system")) {
        execFileSync("systemctl", ["disable", "--now", "strongswan"], options);
      }
    } catch (error) {
      console.error(`test set-up: ${error.message}; suites that need these are skipped`);
    }
  } else {
    console.error(`test set-up: suites that need ${missing.join(", ")} are skipped. On Debian: sudo ${command}`);
  }
}
