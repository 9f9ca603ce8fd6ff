/** A member whose configuration changes while it works. */
import type { IkeEndpoint } from "../ikev2/endpoint.ts";
import type { GmGroup, GmState, IsakmpSide } from "./state.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Groups whose configuration is another one in `next`, and those that are not in it: they have to be left first. */
export function changedGroups(state: GmState, next: GmState | undefined): readonly string[] {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const stands = {
    gikev2: same(state.config.ike, next?.config.ike),
    gdoi: same(state.config.isakmp, next?.config.isakmp),
  };
  return state.groups.flatMap(({ config }) => {
    const other = next?.groups.find((group) => group.config.name === config.name);
    const isSame = stands[config.protocol.kind] && other !== undefined && same(other.config, config);
    return isSame ? [] : [config.name];
  });
}

/**
 * Takes over the configuration that `next` was made from. Groups keep their places, because timers know them by number;
 * whoever calls this has taken the changed ones off their interfaces, so that nothing of the old configuration is held.
 */
export function adoptConfig(state: GmState, next: GmState): void {
  (state as Writable<GmState>).config = next.config;
  if (state.endpoint === undefined || next.endpoint === undefined)
    (state as Writable<GmState>).endpoint = next.endpoint;
  else (state.endpoint as Writable<IkeEndpoint>).config = next.endpoint.config;
  if (state.isakmp === undefined || next.isakmp === undefined) (state as Writable<GmState>).isakmp = next.isakmp;
  else (state.isakmp.endpoint as Writable<IsakmpSide["endpoint"]>).config = next.isakmp.endpoint.config;
  for (const group of next.groups) {
    const own = state.groups.find(({ config }) => config.name === group.config.name);
    if (own === undefined) (state.groups as GmGroup[]).push({ ...group, index: state.groups.length });
    else {
      // SAs of another protocol are counted apart.
      if (own.config.protocol.kind !== group.config.protocol.kind) own.retiredSa = undefined;
      Object.assign(own, { config: group.config, tuning: group.tuning });
    }
  }
}
