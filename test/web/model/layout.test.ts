import { describe, expect, it } from "vitest";
import { layoutOf, shortName } from "../../../web/model/layout.ts";
import { syntheticHead } from "../syntheticTrace.ts";

describe("layoutOf", () => {
  it.each([
    [1, 2.2],
    [4, 2.2],
    [12, 1.6],
    [40, 2.2],
    [100, 2.2],
    [100, 1.4],
    [1000, 2.2],
  ])("keeps %d members apart and inside at aspect %d", (members, aspect) => {
    const layout = layoutOf(syntheticHead(members), aspect);
    const devices = layout.nodes.filter((node) => node.role !== "cloud");
    for (const node of devices) {
      expect(node.x - node.radius).toBeGreaterThanOrEqual(0);
      expect(node.x + node.radius).toBeLessThanOrEqual(layout.width);
      expect(node.y - node.radius).toBeGreaterThanOrEqual(0);
      expect(node.y + node.radius).toBeLessThanOrEqual(layout.height);
    }
    let closest = Number.POSITIVE_INFINITY;
    for (const [i, a] of devices.entries()) {
      for (const b of devices.slice(i + 1)) {
        closest = Math.min(closest, Math.hypot(a.x - b.x, a.y - b.y) / (a.radius + b.radius));
      }
    }
    expect(closest).toBeGreaterThan(0.98);
  });

  it("gives the same picture for the same head", () => {
    const head = syntheticHead(30);
    expect(layoutOf(head, 2)).toEqual(layoutOf(structuredClone(head), 2));
  });

  it("puts the cloud in the middle and key servers above it", () => {
    const layout = layoutOf(syntheticHead(4), 2);
    const [cloud, server] = layout.nodes;
    expect(cloud!.x).toBe(layout.width / 2);
    expect(server!.y).toBeLessThan(cloud!.y);
  });

  it("finds a place for hosts behind members and for devices without a link", () => {
    const head = syntheticHead(3);
    const devices = [
      ...head.devices,
      { name: "host1", role: "host" as const, addresses: [] },
      { name: "stray", role: "router" as const, addresses: [] },
    ];
    const links = [...head.links, { ...head.links[1]!, name: "h", a: 5, b: 2 }];
    const layout = layoutOf({ ...head, devices, links }, 2);
    expect(layout.nodes).toHaveLength(7);
    expect(layout.nodes.every((node) => Number.isFinite(node.x) && Number.isFinite(node.y))).toBe(true);
  });

  it("manages without a cloud and without any device", () => {
    const head = syntheticHead(3);
    expect(layoutOf({ ...head, devices: [], links: [] }, 2).nodes).toEqual([]);
    const plain = head.devices.map((device) => ({ ...device, role: "router" as const }));
    expect(layoutOf({ ...head, devices: plain }, 2).nodes).toHaveLength(5);
  });
});

describe("shortName", () => {
  it("keeps what tells devices of one kind apart", () => {
    expect([shortName("gm37"), shortName("branch-7"), shortName("paris")]).toEqual(["37", "7", "par"]);
  });
});
