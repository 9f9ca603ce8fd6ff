/** Interface names: any abbreviation to the canonical form (`g0/0` to `GigabitEthernet0/0`) and to the short one. */

/**
 * Types in full with the short form that `show` prints. Where an abbreviation fits several types the first one wins when
 * its row says `preferred`, otherwise it is ambiguous, as `t0` is on a real box.
 */
const TYPES: readonly { readonly full: string; readonly short: string; readonly preferred?: string }[] = [
  { full: "GigabitEthernet", short: "Gi" },
  { full: "FastEthernet", short: "Fa", preferred: "f" },
  { full: "TenGigabitEthernet", short: "Te" },
  { full: "TwentyFiveGigE", short: "Twe" },
  { full: "TwoGigabitEthernet", short: "Tw" },
  { full: "FortyGigabitEthernet", short: "Fo" },
  { full: "FiveGigabitEthernet", short: "Fi" },
  { full: "HundredGigE", short: "Hu" },
  { full: "Ethernet", short: "Et" },
  { full: "Loopback", short: "Lo", preferred: "l" },
  { full: "Tunnel", short: "Tu" },
  { full: "Serial", short: "Se" },
  { full: "Port-channel", short: "Po", preferred: "p" },
  { full: "Vlan", short: "Vl", preferred: "v" },
  { full: "BDI", short: "BDI" },
  { full: "BVI", short: "BV" },
  { full: "Dialer", short: "Di" },
  { full: "Multilink", short: "Mu" },
  { full: "Virtual-Template", short: "Vt" },
  { full: "VirtualPortGroup", short: "VP" },
  { full: "POS", short: "PO" },
  { full: "Cellular", short: "Ce" },
  { full: "Null", short: "Nu" },
];

/** The full type name for an abbreviation; undefined where none or several fit. */
export function interfaceType(abbreviation: string): string | undefined {
  const wanted = abbreviation.toLowerCase();
  if (wanted === "") return undefined;
  const fitting = TYPES.filter((type) => type.full.toLowerCase().startsWith(wanted));
  const exact = fitting.find((type) => type.full.length === wanted.length || type.short.toLowerCase() === wanted);
  const preferred = fitting.find((type) => type.preferred?.startsWith(wanted));
  return (exact ?? preferred ?? (fitting.length === 1 ? fitting[0] : undefined))?.full;
}

/** Slot, bay and port, sub-interface and channel: `0`, `0/0/1`, `0/0.100`, `0/0/0:15`. */
export function isInterfaceNumber(text: string): boolean {
  return /^\d{1,5}(?:\/\d{1,5}){0,3}(?:\.\d{1,10})?(?::\d{1,5})?$/.test(text);
}

/**
 * `Gi0/0`, `gig 0/0` or `GigabitEthernet0/0` to `GigabitEthernet0/0`; undefined for text that names no interface.
 */
export function canonicalInterface(text: string): string | undefined {
  const match = /^([A-Za-z][A-Za-z-]*)[ \t]*(\d[\d/.:]*)$/.exec(text.trim());
  if (match === null || !isInterfaceNumber(match[2]!)) return undefined;
  const type = interfaceType(match[1]!);
  return type === undefined ? undefined : type + match[2]!;
}

/** `GigabitEthernet0/0` to `Gi0/0`; text that is not canonical comes back as it is. */
export function shortInterface(name: string): string {
  const digits = name.search(/\d/);
  const type = TYPES.find((known) => known.full === name.slice(0, digits));
  return type === undefined ? name : type.short + name.slice(digits);
}
