/** Access lists of a configuration as rules of the data plane. */
import type { TrafficRule } from "../../src/esp/api.ts";
import { entriesOf } from "../../src/gikev2/iosGroup.ts";
import type { AccessList } from "../../src/ios/model.ts";

/**
 * `deny` becomes `bypass`, `permit` becomes `protect`; no rule has a family. What the data plane cannot select on (ICMP
 * types, wildcards torn into very many networks) is left out: a member's configuration with such entries is refused
 * before it gets here.
 */
export function aclRules(list: AccessList): readonly TrafficRule[] {
  return entriesOf(list, []).map(({ action, selector }) => ({
    action: action === "deny" ? "bypass" : "protect",
    selector,
    family: -1,
  }));
}
