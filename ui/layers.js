// Which folder of src/ may import which: the one table that ESLint enforces and src/layers.test.ts proves.
// A row may name only rows above it, so a cycle cannot be written.
export const layers = {
  base: [],
  traceql: ['base'],
  trace: ['base'],
  client: ['base', 'trace'],
  widgets: ['base'],
  'views/search': ['base', 'traceql', 'trace', 'client', 'widgets'],
  'views/trace': ['base', 'traceql', 'trace', 'client', 'widgets'],
  app: ['base', 'traceql', 'trace', 'client', 'widgets', 'views/search', 'views/trace'],
};

// Folders that must run without a browser.
export const pure = ['base', 'traceql', 'trace'];
