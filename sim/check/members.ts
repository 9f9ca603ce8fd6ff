/** What group members hold, kept up to date as a run goes on, for the expectations that speak of states. */
import type { Micros } from "../../src/base/micros.ts";
import type { TraceEvent } from "../core/traceTypes.ts";
import type { Expectation, Window } from "./expectation.ts";

export interface MemberView {
  /** SPIs that the member sends with, one per permit entry of its policy. */
  readonly sendsWith: readonly number[];
  /** SPIs that it can open, each with the instant from which on it cannot. */
  readonly opens: ReadonlyMap<number, Micros>;
}

/** True while a member has a policy and can send all that it protects. */
export function isRegistered(view: MemberView, at: Micros): boolean {
  return view.sendsWith.length > 0 && view.sendsWith.every((spi) => (view.opens.get(spi) ?? 0) > at);
}

export interface MemberWatch {
  /** As of the last event. */
  view(device: number): MemberView;
  watch(event: TraceEvent): void;
  /**
   * With the members as the last event has left them: the first instant of the window, before `next`, at which one of
   * them sends nothing, or what another cannot open; undefined where there is none.
   */
  apartIn(devices: ReadonlySet<number>, window: Window, next: Micros): Micros | undefined;
}

const NOTHING: MemberView = { sendsWith: [], opens: new Map() };

/** Follows the devices that `expectations` ask about; `look` reads a device as it is now. */
export function createMemberWatch(
  expectations: readonly Expectation[],
  look: (device: number) => MemberView | undefined,
): MemberWatch {
  const followed = new Set<number>();
  for (const expectation of expectations) {
    if (expectation.check === "registered" || expectation.check === "sharedTek") {
      for (const device of expectation.devices) followed.add(device);
    }
  }
  const views = new Map<number, MemberView>();
  let lastAt: Micros = 0;
  /** Result of the last look at a set of devices, good until one of them changes or an SA of theirs ends. */
  const soundUntil = new Map<ReadonlySet<number>, Micros>();
  return {
    view: (device) => views.get(device) ?? NOTHING,
    watch(event) {
      lastAt = event.time;
      if (!followed.has(event.device) || !changesMember(event.kind)) return;
      views.set(event.device, look(event.device) ?? NOTHING);
      soundUntil.clear();
    },
    apartIn(devices, window, next) {
      // Nothing lies between two events of one instant.
      if (next <= lastAt) return undefined;
      const start = Math.max(window.from, lastAt);
      const end = Math.min(window.until, next);
      // What holds at `next` itself is for its event to say.
      if (end < start || start === next) return undefined;
      let sound = soundUntil.get(devices);
      if (sound === undefined) {
        sound = soundness(devices, views);
        soundUntil.set(devices, sound);
      }
      const isWell = end === next ? sound >= end : sound > end;
      return isWell ? undefined : Math.max(start, sound);
    },
  };
}

/** Every change of what a member holds comes with an event of the member, or of its device. */
function changesMember(kind: string): boolean {
  return kind.startsWith("gm.") || kind.startsWith("device.");
}

/** Until when every member sends something that all the others can open; 0 where that is not so now. */
function soundness(devices: ReadonlySet<number>, views: ReadonlyMap<number, MemberView>): Micros {
  const inUse = new Set<number>();
  for (const device of devices) {
    const view = views.get(device) ?? NOTHING;
    if (view.sendsWith.length === 0) return 0;
    for (const spi of view.sendsWith) inUse.add(spi);
  }
  let sound = Number.POSITIVE_INFINITY;
  for (const spi of inUse) {
    for (const device of devices) sound = Math.min(sound, views.get(device)!.opens.get(spi) ?? 0);
  }
  return sound;
}
