/** `show logging`: the lines that the router has logged since it was switched on, as far as its buffer holds them. */
import { lines } from "./text.ts";

/** Octets; the oldest lines make room. */
const BUFFER = 102_400;

export function logging(log: readonly string[]): string {
  return lines(
    "Syslog logging: enabled (0 messages dropped, 0 messages rate-limited, 0 flushes, 0 overruns, xml disabled, filtering disabled)",
    "",
    "No Active Message Discriminator.",
    "",
    "No Inactive Message Discriminator.",
    "",
    "    Console logging: disabled",
    "    Monitor logging: disabled",
    `    Buffer logging:  level debugging, ${log.length} messages logged, xml disabled,`,
    "                    filtering disabled",
    "    Count and timestamp logging messages: disabled",
    "    Persistent logging: disabled",
    "",
    "No active filter modules.",
    "",
    "    Trap logging: disabled",
    "",
    `Log Buffer (${BUFFER} bytes):`,
    "",
    newest(log),
  );
}

function newest(log: readonly string[]): readonly string[] {
  let left = BUFFER;
  let first = log.length;
  while (first > 0 && left > log[first - 1]!.length) {
    first -= 1;
    left -= log[first]!.length + 1;
  }
  return log.slice(first);
}
