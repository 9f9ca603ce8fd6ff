/** Member states in words. */
import type { TraceHead } from "../../sim/core/traceTypes.ts";
import { type Members, REGISTERED, REGISTERING, REGISTRATION_NAMES } from "./memberState.ts";

/** `registered, TEK 2`, or nothing for devices that are no members. */
export function deviceState(head: TraceHead, members: Members, device: number): string {
  if (head.devices[device]?.role !== "gm") return "";
  const registration = members.registration[device]!;
  if (registration !== REGISTERED) return REGISTRATION_NAMES[registration]!;
  const tek = members.tek[device]!;
  return tek === 0 ? "registered, no TEK" : `registered, TEK ${tek}`;
}

export interface MemberCounts {
  readonly members: number;
  readonly registered: number;
  readonly registering: number;
  /** Registered members by TEK generation, oldest first. */
  readonly byTek: readonly (readonly [number, number])[];
}

export function memberCounts(head: TraceHead, members: Members): MemberCounts {
  let total = 0;
  let registered = 0;
  let registering = 0;
  const byTek = new Map<number, number>();
  head.devices.forEach((device, number) => {
    if (device.role !== "gm") return;
    total++;
    if (members.registration[number] === REGISTERING) registering++;
    if (members.registration[number] !== REGISTERED) return;
    registered++;
    const tek = members.tek[number]!;
    byTek.set(tek, (byTek.get(tek) ?? 0) + 1);
  });
  return { members: total, registered, registering, byTek: [...byTek].sort((a, b) => a[0] - b[0]) };
}

/** One sentence: `97 of 100 members registered: 3 on TEK 1, 94 on TEK 2`. */
export function memberSummary(head: TraceHead, members: Members): string {
  const counts = memberCounts(head, members);
  const teks = counts.byTek.filter(([tek]) => tek > 0).map(([tek, count]) => `${count} on TEK ${tek}`);
  const detail = teks.length === 0 ? "" : `: ${teks.join(", ")}`;
  return `${counts.registered} of ${counts.members} members registered${detail}`;
}
