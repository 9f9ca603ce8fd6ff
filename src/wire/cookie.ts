/**
 * Eight octets that name one end of an IKE SA, a cookie in version 1 and an SPI in version 2, as 16 hexadecimal digits: a
 * key for tables and readable in a log.
 */
import { hexOfEight } from "../base/bytes.ts";
import type { Codec } from "./kit.ts";

export const cookie: Codec<string> = {
  shape: { form: "bytes", count: 8 },
  write: (w, text) => w.hex(text),
  read(r, tree, name) {
    const at = r.at;
    r.skip(8);
    const text = hexOfEight(r.octets, at);
    tree?.leaf(name, at, r.at, text);
    return text;
  },
};
