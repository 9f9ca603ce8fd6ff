import { describe, expect, it } from "vitest";
import type { ConfigProblem } from "../../src/base/errors.ts";
import { formatIpv4 } from "../../src/base/ipv4.ts";
import { entriesOf } from "../../src/gikev2/iosGroup.ts";
import { parseConfig } from "../../src/ios/parse.ts";

function selected(...entries: string[]) {
  const { config } = parseConfig(`ip access-list extended A\n${entries.map((one) => ` ${one}`).join("\n")}`, "ks1.cfg");
  const problems: ConfigProblem[] = [];
  const list = entriesOf(config.accessLists.get("A")!, problems);
  const sources = list.map(({ action, selector }) => {
    const { sourceFirst, sourceLast } = selector;
    return `${action} ${formatIpv4(sourceFirst)}-${formatIpv4(sourceLast)}`;
  });
  return { sources, problems };
}

describe("a wildcard with holes", () => {
  it("becomes one selector for each network that it means, in place of its entry", () => {
    const { sources, problems } = selected(
      "deny ip host 10.9.9.9 any",
      "permit ip 10.0.1.0 0.0.6.255 any",
      "permit ip host 10.8.8.8 any",
    );
    expect(sources).toEqual([
      "deny 10.9.9.9-10.9.9.9",
      "permit 10.0.1.0-10.0.1.255",
      "permit 10.0.3.0-10.0.3.255",
      "permit 10.0.5.0-10.0.5.255",
      "permit 10.0.7.0-10.0.7.255",
      "permit 10.8.8.8-10.8.8.8",
    ]);
    expect(problems).toEqual([]);
  });

  it("that tears the addresses into too many networks is refused with its place, and the other entries stand", () => {
    const { sources, problems } = selected("permit ip 10.0.0.1 0.255.255.254 any", "permit ip host 10.8.8.8 any");
    expect(sources).toEqual(["permit 10.8.8.8-10.8.8.8"]);
    expect(problems).toMatchObject([{ code: "iosUnsupported", file: "ks1.cfg", line: 2 }]);
  });
});
