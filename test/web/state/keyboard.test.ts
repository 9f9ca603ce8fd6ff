import { describe, expect, it } from "vitest";
import { commandsOf } from "../../../web/state/commands.ts";
import { keyName } from "../../../web/state/keyboard.ts";
import { createStore } from "../../../web/state/store.ts";

const key = (name: string, shiftKey = false, ctrlKey = false) => keyName({ key: name, shiftKey, ctrlKey });

describe("keyName", () => {
  it("writes Shift for letters and named keys, not for signs that say it themselves", () => {
    expect([key("p"), key("P", true), key("?", true), key("+", true), key("ArrowLeft", true), key(" ")]).toEqual([
      "p",
      "Shift+P",
      "?",
      "+",
      "Shift+ArrowLeft",
      "Space",
    ]);
    expect(key("c", false, true)).toBe("Ctrl+c");
  });
});

describe("the commands", () => {
  const nothing = () => undefined;
  const commands = commandsOf(createStore({}), {
    focusSearch: nothing,
    toggleHelp: () => false,
    closeHelp: () => false,
    fit: nothing,
    copySelection: nothing,
    focusRegion: nothing,
    focusInspector: nothing,
  });

  it("have ids and keys of their own", () => {
    const keys = commands.flatMap((command) => command.keys);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(commands.map((command) => command.id)).size).toBe(commands.length);
  });

  it("do nothing harmful while there is no run", () => {
    for (const command of commands) expect(() => command.run()).not.toThrow();
  });
});
