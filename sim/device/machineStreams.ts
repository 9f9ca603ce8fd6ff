/** Names of the random streams of devices and of the machines on them. */
import type { Rng } from "../../src/base/rng.ts";

/** Of the life that a device has from its first start to its first reload. */
export const FIRST_LIFE = 1;

export function deviceStream<R extends Rng>(run: R, device: string): R {
  return run.fork(`device/${device}`) as R;
}

/** Another one after each reload. */
export function machineStream<R extends Rng>(device: R, life: number, machine: string): R {
  return device.fork(`life${life}/${machine}`) as R;
}
