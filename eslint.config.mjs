import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import functional from 'eslint-plugin-functional';
import tsdoc from 'eslint-plugin-tsdoc';
import tseslint from 'typescript-eslint';

/** The folders of src/, lowest first. A folder may import itself and the folders before it. */
const layers = ['core', 'curvature', 'solvers', 'pipelines'];

/** Where code that is not ours, and not typed as we would, is called: native libraries and GPU kernels. */
const boundary = ['src/core/backends/**/*.ts', 'src/core/parallel/**/*.ts'];

const barrel = { regex: '/index\\.ts$', message: 'Import the module, not the barrel.' };
const fpTs = { regex: '^fp-ts(?!/lib/[A-Za-z]+\\.js$)', message: 'Import fp-ts/lib/<Module>.js.' };
const ioTs = { regex: '^io-ts', message: 'Codecs live in src/pipelines.' };
const foreign = {
  regex: '^(gpu\\.js|koffi)(/|$)',
  message: 'Only src/core/backends and src/core/parallel call these.',
};

const layersAbove = (layer) =>
  layers
    .slice(layers.indexOf(layer) + 1)
    .map((above) => ({ regex: `\\.\\./${above}/`, message: `${layer} sits below ${above}: imports go down only.` }));

const restrictImports = (patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });

// Later entries replace earlier ones, so each folder lists all that it may not import.
const importRules = [
  ...layers.map((layer) => ({
    files: [`src/${layer}/**/*.ts`],
    rules: restrictImports([...layersAbove(layer), barrel, fpTs, foreign, ...(layer === 'pipelines' ? [] : [ioTs])]),
  })),
  { files: boundary, rules: restrictImports([...layersAbove('core'), barrel, fpTs, ioTs]) },
];

const readonlySyntax = [
  { selector: 'TSPropertySignature[readonly!=true]', message: 'Every field is readonly.' },
  {
    selector: 'TSPropertySignature TSTypeReference[typeName.name=/^(Array|Map|Set)$/]',
    message: 'Use ReadonlyArray, ReadonlyMap or ReadonlySet.',
  },
];

const exportSyntax = [
  { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
  // A barrel for Node.js has all of that for browsers: two lists of the same names would drift apart.
  {
    selector: 'ExportAllDeclaration[exported=null]:not([source.value="./browser.ts"])',
    message: 'Re-export by name.',
  },
  { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' },
];

const sourceSyntax = [...exportSyntax, ...readonlySyntax];

const mutableBuffer = {
  selector:
    ':function > :matches(Identifier, ObjectPattern, ArrayPattern, AssignmentPattern) TSTypeReference[typeName.name=/^(Float64|Float32|Int32|Uint32)Array$/]',
  message: 'Take a ReadonlyVector; a mutable buffer never leaves the function that made it.',
};

// The table in src/curvature/sites tells the kinds of sites apart, once for all: a new kind is then one record.
const askingOfSites = {
  message: 'Ask siteBlock(site) of src/curvature/sites; what a kind of site is like is said by its record alone.',
};
const comparison = 'BinaryExpression[operator=/^[!=]==?$/]';
const siteKinds = [
  ...[comparison, 'SwitchStatement'].flatMap((asks) => [
    { ...askingOfSites, selector: `${asks} > MemberExpression[property.name='kind'][object.name=/[sS]ite$/]` },
    { ...askingOfSites, selector: `${asks} > MemberExpression[property.name='kind'][object.property.name='site']` },
  ]),
  { ...askingOfSites, selector: `:matches(${comparison}, SwitchCase) > Literal[value=/^(embedding|scaleShift)$/]` },
  { ...askingOfSites, selector: `${comparison}[left.name='kind'] > Literal[value='dense']` },
];

export default defineConfig([
  globalIgnores(['dist/', 'demo/dist/', 'docs/', 'coverage/', '.cache/', 'runs/']),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/array-type': ['error', { default: 'generic', readonly: 'generic' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': 'off', // a record may lack a key although its type says otherwise
      // Two fifths of the time, and there is neither an enum nor a hierarchy of classes here that they could look at.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off', // rank-2 programs mention T where the rule sees none
      '@typescript-eslint/prefer-for-of': 'off', // index loops over typed arrays are the point
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { functional, tsdoc },
    rules: {
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      'functional/no-classes': 'error',
      'functional/no-promise-reject': 'error',
      'functional/no-this-expressions': 'error',
      'functional/no-throw-statements': 'error',
      'functional/prefer-property-signatures': 'error',
      'no-restricted-syntax': ['error', ...sourceSyntax],
      'tsdoc/syntax': 'error',
    },
  },
  {
    // Kernels (core, solvers) may loop over buffers they own; policy (curvature, pipelines) may not.
    files: ['src/curvature/**/*.ts', 'src/pipelines/**/*.ts'],
    rules: {
      'functional/immutable-data': 'error',
      'functional/no-let': 'error',
      'functional/no-loop-statements': 'error',
      'no-restricted-syntax': ['error', ...sourceSyntax, ...siteKinds, mutableBuffer],
    },
  },
  { files: ['src/solvers/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...sourceSyntax, ...siteKinds] } },
  {
    // The page changes only what its views show and the one record that holds its state.
    files: ['demo/**/*.ts'],
    plugins: { functional },
    rules: {
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      'functional/no-classes': 'error',
      'functional/no-let': 'error',
      'functional/no-loop-statements': 'error',
      'functional/no-this-expressions': 'error',
    },
  },
  {
    files: ['demo/src/{address,messages,race,setup,state}.ts'],
    rules: {
      'functional/immutable-data': 'error',
      'functional/no-throw-statements': 'error',
      'no-restricted-syntax': ['error', ...sourceSyntax],
    },
  },
  {
    files: ['src/index.ts', 'src/browser.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  ...importRules,
  {
    files: ['src/**/index.ts'],
    rules: { 'no-restricted-syntax': ['error', ...sourceSyntax] },
  },
  {
    files: boundary,
    rules: {
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'as' }],
      'functional/no-promise-reject': 'off', // a callback that fails becomes a promise that does; the caller makes it data
    },
  },
  {
    // TF.js has classes, fields that layers change and tensors that are kept until they are given back.
    files: ['src/pipelines/tfjs/*.ts'],
    rules: {
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'as' }],
      'functional/immutable-data': 'off',
      'functional/no-classes': 'off',
      'functional/no-this-expressions': 'off',
      'no-restricted-syntax': ['error', ...exportSyntax, ...siteKinds, mutableBuffer],
    },
  },
  // The one place that throws and catches; see its module comment.
  { files: ['src/core/errors.ts'], rules: { 'functional/no-throw-statements': 'off' } },
  {
    files: ['**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { Buffer: 'readonly', URL: 'readonly', console: 'readonly', process: 'readonly' } },
  },
]);
