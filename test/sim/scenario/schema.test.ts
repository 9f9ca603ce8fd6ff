import { describe, expect, test } from "vitest";
import { ScenarioSchema, scenarioJsonSchema } from "../../../sim/scenario/schema.ts";

describe("the schema of scenarios", () => {
  test("is a JSON Schema of draft 7 that names every section and refuses unknown keys", () => {
    const schema = scenarioJsonSchema() as {
      $schema: string;
      properties: Record<string, unknown>;
      required: string[];
      additionalProperties: boolean;
    };
    expect(schema.$schema).toBe("http://json-schema.org/draft-07/schema#");
    expect(Object.keys(schema.properties)).toEqual(Object.keys(ScenarioSchema.shape));
    expect(schema.required).toEqual(["name", "duration", "topology"]);
    expect(schema.additionalProperties).toBe(false);
  });

  test("carries the patterns of quantities, so that an editor sees a bad duration", () => {
    expect(JSON.stringify(scenarioJsonSchema())).toContain("(us|ms|s|min|m|h|d)");
  });
});
