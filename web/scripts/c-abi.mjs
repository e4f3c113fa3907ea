// src/engine/c-abi.ts: the engine's C ABI for TypeScript, made of engine/c_api.h.
//   node scripts/c-abi.mjs   writes the file; tests/c-abi.test.ts fails when it is not what the header says.
import { readFile, writeFile } from 'node:fs/promises';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const header = new URL('../../engine/c_api.h', import.meta.url);
export const target = new URL('../src/engine/c-abi.ts', import.meta.url);

/** Sizes, which are alignments too. */
const sizes = { int32_t: 4, uint32_t: 4, int64_t: 8, double: 8 };
/** What has the size of an address: 4 bytes in wasm32, 8 in wasm64. */
const isAddress = (type) => type.endsWith('*') || type === 'size_t';

const withoutComments = (text) => text.replace(/\/\/.*$/gm, '');

/** "const int64_t* dims" → { type: 'int64_t*', name: 'dims' } */
function declaration(text) {
  const [, type, stars, name] = text
    .trim()
    .replace(/\bconst\b/g, '')
    .match(/^\s*(?:struct )?(\w+)\s*([\s*]*)(\w+)$/);
  return { type: type + stars.replace(/\s/g, ''), name };
}

/** The enumerators of nm_NAME by their names in lower case, without what all of them begin with. */
function enumeration(text, name) {
  const body = text.match(new RegExp(`typedef enum nm_${name} \\{([^}]*)\\} nm_${name};`))[1];
  return Object.fromEntries(
    [...body.matchAll(new RegExp(`NM_${name.toUpperCase()}_(\\w+) = (\\d+)`, 'g'))].map(([, key, value]) => [
      key.toLowerCase(),
      Number(value),
    ]),
  );
}

/** Where the members of struct nm_NAME lie, and its size, with addresses of so many bytes. */
function layout(text, name, addressBytes) {
  const body = text.match(new RegExp(`typedef struct nm_${name} \\{([^}]*)\\} nm_${name};`))[1];
  const offsets = {};
  let end = 0;
  let alignment = 1;
  for (const member of body.split(';').filter((line) => line.trim())) {
    const { type, name: field } = declaration(member);
    const size = isAddress(type) ? addressBytes : sizes[type];
    if (size === undefined) throw new Error(`c_api.h: nm_${name}.${field} has the type ${type}, of no known size`);
    end = Math.ceil(end / size) * size;
    offsets[field] = end;
    end += size;
    alignment = Math.max(alignment, size);
  }
  return { size: Math.ceil(end / alignment) * alignment, ...offsets };
}

function functions(text) {
  return [...text.matchAll(/NM_EXPORT ([^;(]*?)(\w+)\(([^)]*)\);/g)].map(([, result, name, parameters]) => {
    const list = parameters.trim() === 'void' ? [] : parameters.split(',').map(declaration);
    for (const { type } of list) {
      if (type === 'int64_t') throw new Error(`c_api.h: ${name} takes an int64_t, which is a bigint in JavaScript`);
    }
    return { name, result: result.trim(), parameters: list };
  });
}

/** "  nm_free(pointer: number): void;" for each function. */
const signatures = (text) =>
  functions(text).map(({ name, result, parameters }) => {
    const taken = parameters.map((parameter) => `${parameter.name}: number`).join(', ');
    return `  ${name}(${taken}): ${result === 'void' ? 'void' : 'number'};`;
  });

/** "  nm_input: [0, 3]," for each function whose addresses are not its first parameter alone. */
const addresses = (text) =>
  functions(text).flatMap(({ name, parameters }) => {
    const places = parameters.flatMap(({ type }, place) => (isAddress(type) ? [place] : []));
    return parameters.length === 0 || String(places) === '0' ? [] : [`  ${name}: [${places.join(', ')}],`];
  });

const constant = (values) => Object.entries(values).map(([key, value]) => `  ${key}: ${value},`);

export async function generated() {
  const text = withoutComments(await readFile(header, 'utf8'));
  const threaded = text.match(/#if defined\(__wasm_atomics__\)([\s\S]*?)#endif/)[1];
  const { ok: _, ...codes } = enumeration(text, 'code');
  const flags = (verb) =>
    Object.fromEntries(
      [...text.matchAll(new RegExp(`#define NM_${verb}_(\\w+) (\\d+)u`, 'g'))].map(([, key, value]) => [
        key.toLowerCase(),
        value,
      ]),
    );
  return [
    '// Written by scripts/c-abi.mjs from engine/c_api.h, where everything is explained; do not edit.',
    '',
    "/** What a failure of the engine's is called. */",
    'export type EngineErrorCode =',
    ...Object.keys(codes).map((code, i, all) => `  | '${code}'${i + 1 === all.length ? ';' : ''}`),
    '',
    "/** ONNX's numbers of the element types. */",
    'export const dtypeNumbers = {',
    ...constant(enumeration(text, 'dtype')),
    '} as const;',
    '',
    '/** What nm_value_kind says. */',
    'export const kinds = {',
    ...constant(enumeration(text, 'kind')),
    '} as const;',
    '',
    '/** The flags of nm_load. */',
    'export const loadFlags = {',
    ...constant(flags('LOAD')),
    '} as const;',
    '',
    '/** What nm_pack takes besides. */',
    'export const packFlags = {',
    ...constant(flags('PACK')),
    '} as const;',
    '',
    '/** The size of an nm_tensor, and where its members lie. */',
    'export const tensorLayout = {',
    ...constant(layout(text, 'tensor', 4)),
    '};',
    '',
    '/** The same with addresses of 64 bits. */',
    'export const tensorLayout64: typeof tensorLayout = {',
    ...constant(layout(text, 'tensor', 8)),
    '};',
    '',
    '/** Pointers and sizes are numbers. */',
    'export interface EngineFunctions {',
    ...signatures(text.replace(threaded, '')),
    '}',
    '',
    '/** What a threaded artefact has beyond them. */',
    'export interface ThreadFunctions {',
    ...signatures(threaded),
    '}',
    '',
    '/**',
    ' * The places of the parameters that are addresses or sizes, which have 64 bits in the artefact wasm64, of functions where',
    ' * that is not the first alone.',
    ' */',
    'export const addressParameters: Readonly<Record<string, readonly number[]>> = {',
    ...addresses(text),
    '};',
    '',
  ].join('\n');
}

if (argv[1] === fileURLToPath(import.meta.url)) await writeFile(target, await generated());
