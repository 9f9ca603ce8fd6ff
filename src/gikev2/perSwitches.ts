/**
 * A protocol for each set of its switches, made once: it is asked for with every message, and members of one run share
 * what they read only where they speak the very same one.
 */
export function perSwitches<Switches extends object, Protocol>(
  defaults: Switches,
  make: (switches: Switches) => Protocol,
): (choice?: Partial<Switches>) => Protocol {
  const contentOf = (switches: Switches) =>
    JSON.stringify(Object.keys(defaults).map((name) => switches[name as keyof Switches]));
  const usual = make(defaults);
  const byContent = new Map([[contentOf(defaults), usual]]);
  const byChoice = new WeakMap<object, Protocol>();
  return (choice) => {
    if (choice === undefined) return usual;
    const known = byChoice.get(choice);
    if (known !== undefined) return known;
    const switches = { ...defaults, ...choice };
    const content = contentOf(switches);
    const protocol = byContent.get(content) ?? make(switches);
    byContent.set(content, protocol);
    byChoice.set(choice, protocol);
    return protocol;
  };
}
