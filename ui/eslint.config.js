import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';
import { layers, pure } from './layers.js';

const folders = Object.keys(layers);
const escape = (text) => text.replace(/[/.]/g, '\\$&');

/** How a file of `from` may spell the way to `to`: from src/ down, or from a parent that both share. */
function pathsTo(from, to) {
  const whole = `^(\\.\\./){${from.split('/').length}}${escape(to)}/`;
  const [parent, name] = to.split('/');
  return name && from.startsWith(`${parent}/`) ? `${whole}|^\\.\\./${escape(name)}/` : whole;
}

/** One block per folder: an import that climbs out of it may only enter a folder that its row names. */
const layerRules = folders.map((folder) => ({
  files: [`src/${folder}/**/*.{ts,tsx}`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          ...folders
            .filter((other) => other !== folder && !layers[folder].includes(other))
            .map((other) => ({
              regex: pathsTo(folder, other),
              message: `${folder}/ may not import ${other}/ (see layers.js).`,
            })),
          ...(pure.includes(folder)
            ? [
                {
                  regex: '^(react|react-dom|@tanstack|@codemirror)',
                  message: `${folder}/ is pure: no DOM, no React.`,
                },
              ]
            : []),
        ],
      },
    ],
    ...(folder === 'client'
      ? {}
      : {
          'no-restricted-globals': ['error', { name: 'fetch', message: 'Only client/ talks to the server.' }],
        }),
    ...(pure.includes(folder)
      ? { 'no-restricted-globals': ['error', 'fetch', 'window', 'document', 'location', 'localStorage'] }
      : {}),
  },
}));

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  { files: ['src/**/*.{ts,tsx}'], ...hooks.configs.flat['recommended-latest'] },
  {
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      eqeqeq: 'error',
    },
  },
  ...layerRules,
  prettier,
);
