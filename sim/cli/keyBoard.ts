/**
 * Diffie-Hellman results in memory that threads share. Whoever comes first, the run or a helper, takes an exchange's half
 * and works it out; the other one finds it done. Results are found by the private key itself, so that what nobody has
 * forecast is simply not there.
 *
 * An exchange has two halves, numbered 2 i and 2 i + 1: the initiator's key with its public value, and the responder's
 * with its public value and the shared secret. Octets of a half are written before its state says that they are there.
 */
import { type Bytes, equal } from "../../src/base/bytes.ts";
import { assert } from "../../src/base/errors.ts";
import { type Crypto, DH_PRIVATE_LENGTH, type DhGroup } from "../../src/crypto/api.ts";
import { dhSpec } from "../../src/crypto/suite.ts";

/** States of a half; 0 before its private key is known. */
const OFFERED = 1;
const AT_WORK = 2;
const DONE = 3;
const REFUSED = 4;

/** Numbers before the states. */
const ASKED = 0;
const STOPPED = 1;
const HEAD = 2;

/** Longest wait for what another thread has begun, in milliseconds: a thread that died has not done it. */
const PATIENCE = 2_000;

interface Layout {
  readonly states: Int32Array;
  /** Open addressing: half + 1, or 0. */
  readonly places: Int32Array;
  readonly octets: Uint8Array;
  /** Where the octets of each exchange begin; one more for the end. */
  readonly begins: Float64Array;
}

function beginsOf(groups: readonly DhGroup[]): Float64Array {
  const begins = new Float64Array(groups.length + 1);
  groups.forEach((group, i) => {
    const { public: value, shared } = dhSpec(group)!;
    begins[i + 1] = begins[i]! + 2 * (DH_PRIVATE_LENGTH[group] + value) + shared;
  });
  return begins;
}

/** At most half full with both halves of all exchanges. */
function placesFor(exchanges: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, 4 * exchanges)));
}

export function sharedMemoryFor(groups: readonly DhGroup[]): SharedArrayBuffer {
  const numbers = HEAD + 2 * groups.length + placesFor(groups.length);
  return new SharedArrayBuffer(4 * numbers + beginsOf(groups)[groups.length]!);
}

export class KeyBoard {
  private readonly groups: readonly DhGroup[];
  private readonly head: Int32Array;
  private readonly layout: Layout;

  /** `memory`: as `sharedMemoryFor` made it for these groups. */
  constructor(memory: SharedArrayBuffer, groups: readonly DhGroup[]) {
    this.groups = groups;
    const places = placesFor(groups.length);
    this.head = new Int32Array(memory, 0, HEAD);
    const numbers = HEAD + 2 * groups.length + places;
    this.layout = {
      states: new Int32Array(memory, 4 * HEAD, 2 * groups.length),
      places: new Int32Array(memory, 4 * (HEAD + 2 * groups.length), places),
      octets: new Uint8Array(memory, 4 * numbers),
      begins: beginsOf(groups),
    };
  }

  /** How often public values have been asked for. */
  get asked(): number {
    return Atomics.load(this.head, ASKED);
  }

  noteAsked(): void {
    Atomics.add(this.head, ASKED, 1);
  }

  get isStopped(): boolean {
    return Atomics.load(this.head, STOPPED) !== 0;
  }

  stop(): void {
    Atomics.store(this.head, STOPPED, 1);
  }

  /** Makes the private key of a half known, once. */
  offer(half: number, privateKey: Bytes): void {
    this.part(half, "privateKey").set(privateKey);
    Atomics.store(this.layout.states, half, OFFERED);
    const { places } = this.layout;
    let place = placeOf(privateKey, places.length);
    while (Atomics.compareExchange(places, place, 0, half + 1) !== 0) place = (place + 1) & (places.length - 1);
  }

  /** The half with this private key, or undefined. */
  find(group: DhGroup, privateKey: Bytes): number | undefined {
    const { places } = this.layout;
    for (let place = placeOf(privateKey, places.length); ; place = (place + 1) & (places.length - 1)) {
      const half = Atomics.load(places, place) - 1;
      if (half < 0) return undefined;
      if (this.groups[half >> 1] === group && equal(this.part(half, "privateKey"), privateKey)) return half;
    }
  }

  /** Sees to it that an offered half is worked out, by this thread or by the one that is at it; false where it is not. */
  settle(half: number, crypto: Crypto): boolean {
    const { states } = this.layout;
    const state = Atomics.compareExchange(states, half, OFFERED, AT_WORK);
    if (state === OFFERED) {
      const done = this.work(half, crypto) ? DONE : REFUSED;
      Atomics.store(states, half, done);
      Atomics.notify(states, half);
      return done === DONE;
    }
    if (state === AT_WORK) Atomics.wait(states, half, AT_WORK, PATIENCE);
    return Atomics.load(states, half) === DONE;
  }

  /** Of a half that is settled. */
  publicValue(half: number): Bytes {
    return this.part(half, "publicValue").slice();
  }

  /** Of an exchange whose second half is settled. */
  sharedSecret(half: number): Bytes {
    return this.part(half | 1, "secret").slice();
  }

  isPublicValue(half: number, value: Bytes): boolean {
    return equal(this.part(half, "publicValue"), value);
  }

  private work(half: number, crypto: Crypto): boolean {
    const group = this.groups[half >> 1]!;
    // One array for both calls: back ends keep what they have imported by it.
    const privateKey = this.part(half, "privateKey").slice();
    this.part(half, "publicValue").set(crypto.dhPublic(group, privateKey));
    if ((half & 1) === 0) return true;
    const secret = crypto.dhShared(group, privateKey, this.publicValue(half - 1));
    if (secret === undefined) return false;
    this.part(half, "secret").set(secret);
    return true;
  }

  private part(half: number, name: "privateKey" | "publicValue" | "secret"): Uint8Array {
    const { octets, begins } = this.layout;
    const exchange = half >> 1;
    const group = this.groups[exchange]!;
    const key = DH_PRIVATE_LENGTH[group];
    const { public: value, shared } = dhSpec(group)!;
    const begin = begins[exchange]! + (half & 1) * (key + value);
    if (name === "privateKey") return octets.subarray(begin, begin + key);
    if (name === "publicValue") return octets.subarray(begin + key, begin + key + value);
    assert((half & 1) === 1, "a secret belongs to the second half");
    return octets.subarray(begin + key + value, begin + key + value + shared);
  }
}

/** Private keys are random: any of their octets tell them apart. */
function placeOf(privateKey: Bytes, places: number): number {
  const mark = privateKey[0]! | (privateKey[1]! << 8) | (privateKey[2]! << 16) | (privateKey[3]! << 24);
  return mark & (places - 1);
}

/** A back end that takes Diffie-Hellman results from the board where they are there. */
export function boardCrypto(crypto: Crypto, board: KeyBoard): Pick<Crypto, "dhPublic" | "dhShared"> {
  return {
    dhPublic(group, privateKey) {
      board.noteAsked();
      const half = board.find(group, privateKey);
      if (half === undefined || !board.settle(half, crypto)) return crypto.dhPublic(group, privateKey);
      return board.publicValue(half);
    },
    dhShared(group, privateKey, peer) {
      const half = board.find(group, privateKey);
      const isKnown = half !== undefined && board.settle(half | 1, crypto) && board.isPublicValue(half ^ 1, peer);
      return isKnown ? board.sharedSecret(half) : crypto.dhShared(group, privateKey, peer);
    },
  };
}
