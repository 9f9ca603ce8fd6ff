/**
 * What happens under the KEK of a GDOI group, as the roles see it: GROUPKEY-PUSH and its acknowledgement. RFC 6407 section
 * 4, RFC 8263. The number of a message is its SEQ, which is encrypted with the rest; the message ID of the header is 0.
 */
import { assert } from "../base/errors.ts";
import { secret } from "../base/secret.ts";
import type { RekeyProtocol } from "../gikev2/dialect.ts";
import { perSwitches } from "../gikev2/perSwitches.ts";
import { KekAck } from "../wire/gdoiNumbers.ts";
import type { IsakmpPayload } from "../wire/isakmpPayloads.ts";
import { isKnownAck, openAck, sealAck } from "./ack.ts";
import { kekCipher, kekToWire, newKekKeys } from "./kek.ts";
import { treeKeyOctets } from "./lkh.ts";
import { FIRST_SEQUENCE } from "./policySa.ts";
import { openPush, readPush, sealPush } from "./push.ts";
import { DEFAULT_SWITCHES, type GdoiSwitches } from "./switches.ts";

const ACKNOWLEDGEMENTS: Readonly<Record<GdoiSwitches["acknowledgement"], RekeyProtocol["acknowledgement"]>> = {
  interoperable: { plain: KekAck.KEK_SHA256, withTree: KekAck.LKH_SHA256 },
  cisco: { plain: KekAck.X_KEK_SHA256_ENCRYPTED, withTree: KekAck.X_KEK_SHA256_ENCRYPTED },
};

/**
 * Takes the switches that are not to have their defaults; the same object for the same choice. Every rekey SA has a
 * signer: GDOI knows no other proof.
 */
export const gdoiProtocol = perSwitches(DEFAULT_SWITCHES, protocolWith);

function protocolWith(switches: GdoiSwitches): RekeyProtocol {
  return {
    name: "gdoi",
    unicastRekey: "push",
    firstMessageId: FIRST_SEQUENCE,
    // Several SATs with one SPI: what IOS does is not known, and draft-yeung, its offspring, has it so.
    sharesDataSa: true,
    treeKeyOctets,
    // SAK is one whole: cipher and signature are among its required attributes (RFC 6407 section 5.3).
    repeatsAuthentication: true,
    closesIdleSas: false,
    acknowledgement: ACKNOWLEDGEMENTS[switches.acknowledgement],

    newKekKeys,
    keyEntry({ spi, suite, keys }) {
      const { algorithm } = kekCipher(suite)!;
      return { kind: "gdoi", spi, algorithm, encrKey: secret(kekToWire(suite, keys)) };
    },

    sealRekey(crypto, sa, signer, update, { messageId }) {
      assert(signer !== undefined, "a rekey of GDOI without a signer");
      return [sealPush(crypto, sa, signer, update, messageId, switches)];
    },

    openRekey(crypto, sa, message, _assembly, nextMessageId) {
      const opened = openPush(crypto, sa, message, nextMessageId - 1);
      switch (opened.kind) {
        case "whole":
          return { kind: "whole", messageId: opened.sequence, payloads: opened.payloads };
        case "old":
          return { kind: "old", messageId: opened.sequence };
        case "refused": {
          const reason = opened.reason === "signature" ? "authentication" : opened.reason;
          return { kind: "refused", reason, problem: opened.problem };
        }
      }
    },

    readRekey: (crypto, sa, payloads: readonly IsakmpPayload[], path) =>
      readPush(sa, payloads, switches, { crypto, path }),

    rekeyAck(crypto, sa, { messageId, address, leaf }) {
      const { acknowledgement: type = 0 } = sa;
      if (!isKnownAck(type, leaf)) return undefined;
      return sealAck(crypto, sa, messageId, address, type, switches, leaf);
    },

    readRekeyAck(crypto, sa, message, leaf) {
      const { acknowledgement: type = 0 } = sa;
      if (!isKnownAck(type, leaf)) return undefined;
      const opened = openAck(crypto, sa, message, type, leaf);
      return opened.ok ? opened.sequence : undefined;
    },
  };
}
