// Imports point down only; siblings meet in the room above them. What each room may use is one line here.
// Key servers and members stand on the same rooms.
const role = [
  "src/base",
  "src/wire",
  "src/crypto",
  "src/pki",
  "src/ikev1",
  "src/ikev2",
  "src/esp",
  "src/gdoi",
  "src/gikev2",
  "src/ios",
];

const rooms = {
  "src/base": [],
  "src/wire": ["src/base"],
  "src/crypto": ["src/base", "src/wire"],
  "src/pki": ["src/base", "src/wire", "src/crypto"],
  "src/ios": ["src/base"],
  "src/ikev1": ["src/base", "src/wire", "src/crypto", "src/pki"],
  "src/ikev2": ["src/base", "src/wire", "src/crypto", "src/pki"],
  "src/esp": ["src/base", "src/wire", "src/crypto"],
  "src/gikev2": ["src/base", "src/wire", "src/crypto", "src/pki", "src/ikev2", "src/esp", "src/ios"],
  "src/gdoi": ["src/base", "src/wire", "src/crypto", "src/pki", "src/ikev1", "src/esp", "src/gikev2", "src/ios"],
  "src/peer": ["src/base", "src/wire", "src/crypto", "src/pki", "src/ikev2", "src/esp", "src/gikev2", "src/ios"],
  "src/ks": role,
  "src/gm": role,
  "sim/core": ["src"],
  "sim/net": ["src", "sim/core"],
  "sim/capture": ["src", "sim/core"],
  "sim/fault": ["src", "sim/core", "sim/net"],
  "sim/device": ["src", "sim/core", "sim/net", "sim/fault"],
  "sim/check": ["src", "sim/core", "sim/device", "sim/net"],
  "sim/bench": ["src", "sim/core"],
  "sim/scenario": ["src", "sim/core", "sim/net", "sim/fault", "sim/device", "sim/check", "sim/capture"],
  "sim/serve": ["src", "sim/core", "sim/capture", "sim/scenario"],
  "sim/cli": ["src", "sim"],
  web: [
    "src",
    "sim/core",
    "sim/capture",
    "sim/scenario",
    "sim/device/events",
    "sim/serve/(protocol|frame|liveRun|simulatedRun)",
  ],
};

module.exports = {
  forbidden: [
    ...Object.entries(rooms).map(([room, below]) => ({
      name: `${room} imports down only`,
      severity: "error",
      from: { path: `^${room}/` },
      to: { path: "^(src|sim|web|test)/", pathNot: [`^${room}/`, ...below.map((name) => `^${name}[/.]`)] },
    })),
    {
      name: "no circles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "node modules stay at the edge",
      severity: "error",
      from: { path: "^(src|sim|web)/", pathNot: "^(src/host|sim/cli|sim/serve|src/crypto/native|web/vite)" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "the page never loads the native back end",
      severity: "error",
      from: { path: "^web/" },
      to: { path: "^src/crypto/native", reachable: true },
    },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: [".ts", ".mjs", ".js"] },
    doNotFollow: { path: "node_modules" },
  },
};
