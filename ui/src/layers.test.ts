// Proves that the import rules of layers.js bite: ESLint is asked about breaches that nobody should be able to write.
import { ESLint } from 'eslint';
import { beforeAll, expect, test } from 'vitest';

let eslint: ESLint;
beforeAll(() => {
  eslint = new ESLint({ cwd: process.cwd() });
});

async function complaints(filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: `src/${filePath}` });
  return result!.messages.filter((m) => m.ruleId?.startsWith('no-restricted')).map((m) => m.message);
}

const use = (path: string) => `import { x } from '${path}';\nconsole.log(x);\n`;

test.each([
  ['base/x.ts', '../trace/model', 'base/ may not import trace/'],
  ['trace/x.ts', '../client/api', 'trace/ may not import client/'],
  ['trace/x.ts', 'react', 'trace/ is pure'],
  ['widgets/x.tsx', '../trace/model', 'widgets/ may not import trace/'],
  ['widgets/x.tsx', '../client/queries', 'widgets/ may not import client/'],
  ['views/search/x.tsx', '../trace/TraceView', 'views/search/ may not import views/trace/'],
  ['views/trace/x.tsx', '../../views/search/state', 'views/trace/ may not import views/search/'],
  ['views/trace/x.tsx', '../../app/router', 'views/trace/ may not import app/'],
  ['client/x.ts', '../widgets/hooks', 'client/ may not import widgets/'],
])('%s may not import %s', async (file, path, message) => {
  expect((await complaints(file, use(path))).join()).toContain(message);
});

test.each([
  ['client/x.ts', '../trace/model'],
  ['views/search/x.tsx', '../../trace/model'],
  ['views/trace/x.tsx', '../../widgets/hooks'],
  ['app/x.tsx', '../views/search/SearchPage'],
])('%s may import %s', async (file, path) => {
  expect(await complaints(file, use(path))).toEqual([]);
});

test('only client/ may fetch', async () => {
  expect(await complaints('views/search/x.ts', "void fetch('/api/v1/status');\n")).toEqual([
    expect.stringContaining('Only client/ talks to the server'),
  ]);
  expect(await complaints('client/x.ts', "void fetch('/api/v1/status');\n")).toEqual([]);
});
