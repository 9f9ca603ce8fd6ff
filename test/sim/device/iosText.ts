/** IOS configurations of a key server of both protocols and of its members, and the nodes of a scenario around them. */

const ISAKMP = `crypto isakmp policy 10
 encryption aes 256
 hash sha256
 authentication pre-share
 group 14
crypto isakmp key MY_KEY address 0.0.0.0
crypto isakmp nat keepalive 20
`;
const IKEV2 = `crypto ikev2 keyring KEYS
 peer ANY
  address 0.0.0.0 0.0.0.0
  pre-shared-key MY_KEY
crypto ikev2 profile PROFILE
 match identity remote address 0.0.0.0 0.0.0.0
 authentication remote pre-share
 authentication local pre-share
 keyring local KEYS
`;

export const SERVER = "10.0.0.254";

/** `permit`: what the policy protects. `port`: further lines of the interface. Group G has identity 7. */
export function serverConfig(permit: string, port = ""): string {
  return `hostname KS1
crypto key generate rsa modulus 2048 label RSA_KEYS
${ISAKMP}${IKEV2}crypto ipsec transform-set AES esp-aes 256 esp-sha256-hmac
crypto ipsec profile IPSEC
 set transform-set AES
ip access-list extended LIST
 permit ${permit}
crypto gkm group G
 identity number 7
 server local
  gdoi
  gikev2 PROFILE
  address ipv4 ${SERVER}
  rekey algorithm aes 256
  rekey authentication mypubkey rsa RSA_KEYS
  rekey transport unicast
  sa ipsec 1
   profile IPSEC
   match address ipv4 LIST
interface GigabitEthernet0/0
 ip address ${SERVER} 255.255.255.0
${port}`;
}

export function memberConfig(name: string, address: string, protocol: string, more = ""): string {
  return `hostname ${name}
${ISAKMP}${IKEV2}crypto gkm group G
 identity number 7
 server address ipv4 ${SERVER}
 client protocol ${protocol}
crypto map CM 10 gkm
 set group G
interface GigabitEthernet0/0
 ip address ${address} 255.255.255.0
 crypto map CM
${more}`;
}

/** A node of a scenario; `wan`: it stands on the cloud with its first interface. */
export function node(name: string, kind: "ks" | "gm" | "router", config: string, wan = true): string {
  const lines = config.split("\n").filter((line) => line !== "");
  const text = lines.map((line) => `        ${line}`).join("\n");
  return `    ${name}:\n      kind: ${kind}\n${wan ? "      wan: Gi0/0\n" : ""}      config: |\n${text}\n`;
}
