/** A scenario that has been read and found free of mistakes: plain data, from which any number of runs is made. */
import type { Micros } from "../../src/base/micros.ts";
import type { DialectName } from "../../src/gikev2/dialect.ts";
import type { RouterPki } from "../../src/gikev2/iosPki.ts";
import type { Yeung07Switches } from "../../src/gikev2/yeung07/switches.ts";
import type { IgnoredLine, IosConfig } from "../../src/ios/model.ts";
import type { Expectation } from "../check/expectation.ts";
import type { Parts } from "../check/metrics.ts";
import type { DeviceRole, TraceNote } from "../core/traceTypes.ts";
import type { CloudSpec, CpuSpec, HostSpec, LinkSpec, TimelineEntry } from "../device/spec.ts";

import type { PkiPlan } from "./pki.ts";
import type { Tuning } from "./tuning.ts";

export type Dialect = DialectName;

/** Where a node is described, for what is found out about it later. */
export interface NodePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly path: string;
}

export interface RouterNode {
  readonly kind: "router";
  readonly name: string;
  readonly role: Exclude<DeviceRole, "host" | "cloud">;
  readonly site?: string;
  readonly config: IosConfig;
  readonly cpu: CpuSpec;
  readonly dialect: Dialect;
  /** Open points of the Cisco dialect that do not have their defaults. */
  readonly switches?: Partial<Yeung07Switches>;
  readonly tuning: Tuning;
  readonly startAt?: Micros;
  /** Its certificates; in a scenario that was just read, no more than which ones there will be. */
  readonly pki?: RouterPki;
  readonly at: NodePlace;
}

export type ScenarioNode = RouterNode | HostSpec;

export interface Limits {
  /** Events of the queue after which a run is given up as inconclusive. */
  readonly events: number;
}

export interface Scenario {
  readonly name: string;
  readonly description?: string;
  readonly seed: string;
  readonly duration: Micros;
  readonly nodes: readonly ScenarioNode[];
  readonly links: readonly LinkSpec[];
  readonly clouds: readonly CloudSpec[];
  /** Routers with OSPF send its hellos. */
  readonly ospfHellos: boolean;
  /** Parts of the network that have figures of their own in the report; devices by number in the trace. */
  readonly parts: Parts;
  readonly pki?: PkiPlan;
  readonly timeline: readonly TimelineEntry[];
  readonly expectations: readonly Expectation[];
  readonly notes: readonly TraceNote[];
  readonly limits: Limits;
  /** Configuration lines that are not in the model; each with the reason; files relative to the scenario's folder. */
  readonly ignored: readonly IgnoredLine[];
}
