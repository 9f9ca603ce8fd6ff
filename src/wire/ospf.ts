/** OSPF for IPv4: the hello packet, which tells the routers of a network of each other. RFC 2328 appendix A.3. */
import { addressField } from "./address.ts";
import { wholeChecksum } from "./ip.ts";
import { bytes, type Infer, lengthOfStruct, list, numberSpace, struct, u8, u16, u32 } from "./kit.ts";

/** All routers that speak OSPF. RFC 2328 section A.1. */
export const ALL_SPF_ROUTERS = 0xe0000005;

export const OspfType = numberSpace("OSPF packet types", "RFC 2328 A.3.1", {
  HELLO: 1,
  DATABASE_DESCRIPTION: 2,
  LINK_STATE_REQUEST: 3,
  LINK_STATE_UPDATE: 4,
  LINK_STATE_ACKNOWLEDGMENT: 5,
});

/** Authentication type 0: the checksum is over everything, since the authentication is zero. RFC 2328 A.3.2. */
export const OspfHello = struct(
  "OSPF",
  "RFC 2328 A.3.2",
  {
    version: u8,
    type: u8.named(OspfType),
    length: lengthOfStruct(u16),
    routerId: addressField(4),
    area: u32,
    checksum: wholeChecksum,
    authenticationType: u16,
    authentication: bytes(8),
    networkMask: addressField(4),
    helloInterval: u16,
    options: u8,
    priority: u8,
    deadInterval: u32,
    designatedRouter: addressField(4),
    backupRouter: addressField(4),
    neighbours: list(addressField(4), "neighbours"),
  },
  (hello) => `Hello from ${hello.routerId}, area ${hello.area}`,
);
export type OspfHello = Infer<typeof OspfHello>;
