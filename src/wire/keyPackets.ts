/**
 * The KD payload of GDOI, which draft-yeung took over for G-IKEv2: packets of keys by type, each with its SPI and
 * attributes. The numbers of the attributes are those of each of them.
 *
 *     | number of packets | reserved | packet ...
 *                                    | type | reserved | length | SPI size | SPI | attributes |
 */
import { type Bytes, EMPTY, toHex } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import {
  type Codec,
  choice,
  counted,
  hexNumber,
  type Infer,
  lengthOf,
  lengthOfStruct,
  NO_SCOPE,
  type NumberSpace,
  nameOf,
  numberSpace,
  rest,
  sizedBytes,
  struct,
  u8,
  u16,
  u32,
  zero,
} from "./kit.ts";
import { attributes } from "./tagged.ts";

export const KeyPacketType = numberSpace("Key Download Types", "RFC 6407 5.6, draft-yeung-g-ikev2 4.7", {
  TEK: 1,
  KEK: 2,
  LKH: 3,
  SID: 4,
});

function keyPacket<A>(rfc: string, list: Codec<A>) {
  return struct(
    "Key packet",
    rfc,
    {
      type: u8.named(KeyPacketType),
      reserved: zero(1),
      length: lengthOfStruct(u16),
      spiSize: lengthOf(u8, "spi"),
      spi: sizedBytes("spi"),
      attributes: list,
    },
    (value) => `${nameOf(KeyPacketType.space, value.type)} ${toHex(value.spi)}`,
  );
}

type PacketKind = "TEK" | "KEK" | "LKH" | "SID";
interface Packet<A> {
  type: number;
  spi: Bytes;
  attributes: A;
}

/** The payload body. `lists`: the attributes of each type of packet; those of a type that nobody knows survive. */
export function keyDownload<const T extends Readonly<Record<PacketKind, Codec<unknown>>>>(rfc: string, lists: T) {
  const other = attributes("Attribute", rfc, {});
  type Any = Packet<Infer<T[PacketKind]> | Infer<typeof other>>;
  const kinds = Object.entries(lists) as [PacketKind, Codec<unknown>][];
  const table = new Map(
    kinds.map(([kind, list]) => [KeyPacketType[kind] as number, keyPacket(rfc, list) as Codec<Any>]),
  );
  const fallback = keyPacket(rfc, other) as Codec<Any>;
  const packet = choice<Any>((value) => table.get(value.type) ?? fallback, table, fallback);
  return struct("Key download", rfc, {
    packetCount: lengthOf(u16, "packets"),
    reserved: zero(2),
    packets: counted(packet, "packets", "Key packet"),
  });
}

/** Octets of a key attribute, empty where the packet has none of that kind. */
export function keyOf(
  packet: { readonly attributes: readonly { readonly kind: string; readonly value: unknown }[] },
  kind: string,
): Bytes {
  for (const attribute of packet.attributes) {
    if (attribute.kind === kind && attribute.value instanceof Uint8Array) return attribute.value;
  }
  return EMPTY;
}

const LKH_KEY_HEADER_LENGTH = 16;

/**
 * One key of the tree. `keyType` is a cipher of the KEK, the dates are seconds since 1970, 0 for no limit; `data` is IV
 * and key.
 */
export interface LkhKey {
  readonly lkhId: number;
  readonly keyType: number;
  readonly created: number;
  readonly expires: number;
  readonly handle: number;
  readonly data: Bytes;
}

/**
 * Both arrays of a logical key hierarchy; `keyTypes` names the ciphers. `download`: the member's own leaf first, the
 * group KEK last. `update`: the first key is encrypted with the key of `lkhId` and `handle`, each further one with the
 * key before it.
 */
export function lkhArrays(keyTypes: NumberSpace, rfc: string) {
  const key = struct(
    "LKH key",
    rfc,
    {
      lkhId: u16,
      keyType: u8.named({ space: keyTypes }),
      reserved: zero(1),
      created: u32,
      expires: u32,
      handle: u32.shown(hexNumber(4)),
      data: rest,
    },
    numbersOf,
  );
  const keys = evenly<LkhKey>(key, "LKH key");
  const download = struct("LKH download array", rfc, {
    version: u8,
    count: lengthOf(u16, "keys"),
    reserved: zero(1),
    keys,
  });
  const update = struct(
    "LKH update array",
    rfc,
    {
      version: u8,
      count: lengthOf(u16, "keys"),
      reserved: zero(1),
      lkhId: u16,
      reserved2: zero(2),
      handle: u32.shown(hexNumber(4)),
      keys,
    },
    (value) => `for those who hold ${numbersOf(value)}`,
  );
  return { download, update };
}

function numbersOf({ lkhId, handle }: Pick<LkhKey, "lkhId" | "handle">): string {
  return `${lkhId}, handle ${hexNumber(4)(handle)}`;
}

/** The keys of an array share a cipher, so they share a length: nothing else tells where one ends. */
function evenly<T>(item: Codec<T>, title: string): Codec<readonly T[]> {
  return {
    shape: { form: "list", title, item: item.shape, count: "#keys", isEven: true },
    write(w, values) {
      for (const value of values) item.write(w, value, undefined);
    },
    read(r, tree, _name, scope) {
      const count = scope["#keys"] as number;
      const end = r.end;
      const size = count === 0 ? 0 : r.left / count;
      const fits = count === 0 ? r.left === 0 : Number.isInteger(size) && size >= LKH_KEY_HEADER_LENGTH;
      if (!fits) throw new WireError("badLength", `${count} of ${title} in ${r.left} octets`, r.at);
      const values: T[] = [];
      for (let i = 0; i < count; i++) {
        r.end = r.at + size;
        values.push(item.read(r, tree, title, NO_SCOPE));
        r.end = end;
      }
      return values;
    },
  };
}
