import { describe, expect, test } from "vitest";
import { createRng } from "../../../sim/core/rng.ts";
import { createRun } from "../../../sim/scenario/runner.ts";
import { toHex } from "../../../src/base/bytes.ts";
import { SECOND } from "../../../src/base/micros.ts";
import type { Crypto } from "../../../src/crypto/api.ts";
import { drawPrivateKey } from "../../../src/crypto/ephemeral.ts";
import { native } from "../../../src/crypto/native.ts";
import { diskScenario } from "../../scenarios/diskScenario.ts";

describe("the forecast of a run's Diffie-Hellman exchanges", () => {
  test.each([
    ["lab.yaml", 4],
    ["two-groups.yaml", 8],
    ["dual-protocol.yaml", 4],
    ["lossy-rekey.yaml", 100],
  ])("%s: each of them takes place", (path, exchanges) => {
    const asked = new Set<string>();
    const watched: Crypto = {
      ...native,
      dhPublic(group, key) {
        asked.add(`${group} ${toHex(key)}`);
        return native.dhPublic(group, key);
      },
    };
    const foretold: string[] = [];
    const run = createRun(diskScenario(path), {
      crypto: watched,
      run: 3,
      untilMicros: 60 * SECOND,
      ahead(crypto, seed, forecast) {
        const root = createRng(seed);
        for (const { initiator, responder, group } of forecast) {
          const [ours, theirs] = [root.fork(initiator), root.fork(responder)];
          const key = drawPrivateKey({ rng: ours, keys: ours }, group);
          const peer = native.dhPublic(group, key);
          foretold.push(`${group} ${toHex(key)}`);
          foretold.push(`${group} ${toHex(drawPrivateKey({ rng: theirs, keys: theirs }, group, peer))}`);
        }
        return crypto;
      },
    });
    run.step();
    expect(foretold).toHaveLength(2 * exchanges);
    expect(foretold.filter((key) => !asked.has(key))).toEqual([]);
  });

  test("nobody is asked for it where every device computes by itself", () => {
    let isAsked = false;
    const ahead = (crypto: Crypto) => {
      isAsked = true;
      return crypto;
    };
    createRun(diskScenario("lab.yaml"), { crypto: native, memo: false, ahead });
    expect(isAsked).toBe(false);
  });
});
