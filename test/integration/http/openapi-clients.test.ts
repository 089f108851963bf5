import { execFile } from 'node:child_process';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPI3 } from 'openapi-typescript';
import openapiTS, { astToString } from 'openapi-typescript';
import sharp from 'sharp';
import ts from 'typescript';
import { noise } from '../../support/images/images.ts';
import { writePng } from '../../support/images/png.ts';
import type { ServeProcess } from '../../support/servers/serve-process.ts';
import { serveProcess } from '../../support/servers/serve-process.ts';
import type { TemporaryFolder } from '../../support/temporary-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What programs make of /openapi.json, tried on the server that it is of. */
describe('clients made from /openapi.json', () => {
  let folder: TemporaryFolder;
  let server: ServeProcess;

  beforeAll(async () => {
    folder = await temporaryFolder();
    server = await serveProcess(folder.path);
  });
  afterAll(async () => {
    await server.kill();
    await folder.remove();
  });

  it('openapi-typescript: a program that is type-checked upscales with a numeric tile', async () => {
    const at = (name: string): string => join(folder.path, name);
    await symlink(join(ROOT, 'node_modules'), at('node_modules'));
    await writeFile(at('package.json'), '{"type":"module"}');
    await writeFile(at('image.png'), writePng(noise({ width: 70, height: 50, channels: 3, depth: 8 })));
    await writeFile(at('client.ts'), await readFile(join(ROOT, 'test/fixtures/clients/generated.txt')));
    await writeFile(at('schema.d.ts'), await typesOf(`${server.url}/openapi.json`));

    expect(compiled(at('client.ts'))).toEqual([]);
    const { stdout } = await run(process.execPath, [at('client.js'), server.url, at('image.png'), at('result.jpg')]);
    expect(JSON.parse(stdout)).toEqual({ model: 'COMPACT_X2', id: true, code: 'ERR_UNKNOWN_UPSCALER' });
    const { width, height, format } = await sharp(await readFile(at('result.jpg'))).metadata();
    expect([width, height, format]).toEqual([140, 100, 'jpeg']);
  });
});

/** The types of a service's routes; what is binary is a Blob, as openapi-typescript leaves to its caller to say. */
async function typesOf(url: string): Promise<string> {
  const document = (await (await fetch(url)).json()) as OpenAPI3;
  const blob = ts.factory.createTypeReferenceNode(ts.factory.createIdentifier('Blob'));
  const nodes = await openapiTS(document, {
    transform: ({ format }: { format?: string }) => (format === 'binary' ? blob : undefined),
  });
  return astToString(nodes);
}

/** Writes the program as JavaScript beside its source. @returns what the compiler has to say */
function compiled(file: string): string[] {
  const program = ts.createProgram([file], {
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    typeRoots: [join(ROOT, 'node_modules/@types')],
  });
  const { diagnostics } = program.emit();
  return [...ts.getPreEmitDiagnostics(program), ...diagnostics].map(
    ({ messageText, start, file: source }) =>
      `${source && start !== undefined ? source.getLineAndCharacterOfPosition(start).line + 1 : 0}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
  );
}
