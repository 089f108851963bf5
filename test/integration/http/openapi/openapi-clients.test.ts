import { execFile, spawnSync } from 'node:child_process';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OpenAPI3 } from 'openapi-typescript';
import openapiTS, { astToString } from 'openapi-typescript';
import sharp from 'sharp';
import ts from 'typescript';
import { noise } from '../../../support/images/images.ts';
import { writePng } from '../../../support/images/png.ts';
import type { ServeProcess } from '../../../support/servers/serve-process.ts';
import { serveProcess } from '../../../support/servers/serve-process.ts';
import type { TemporaryFolder } from '../../../support/temporary-folder.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Runs what the document says, and tells what the service answers that it does not say. */
const schemathesis = [process.env['HIRESFIX_SCHEMATHESIS'], 'schemathesis'].find(
  (program) => program !== undefined && spawnSync(program, ['--version'], { timeout: 30_000 }).status === 0,
);
const CHECKS = [
  ...['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_schema_conformance'],
  ...['response_headers_conformance', 'unsupported_method', 'allow_header_conformance'],
].join(',');
const EXPLORATION_LIMIT_MS = 40_000;

/** What programs make of /openapi.json, tried on the server that it is of. */
describe('clients made from /openapi.json', () => {
  let folder: TemporaryFolder;
  let server: ServeProcess;

  beforeAll(async () => {
    folder = await temporaryFolder();
    server = await serveProcess(folder.path, { MODELS_DIR: join(folder.path, 'models'), FORCE_CPU: 'true' });
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

  (schemathesis === undefined ? it.skip : it)(
    'schemathesis finds no answer that is not documented, and no failure of the service',
    async () => {
      const config = ['--config-file', join(ROOT, 'test/fixtures/clients/schemathesis.toml')];
      const bounds = ['--phases', 'examples,fuzzing', '--max-examples', '2', '--seed', '1', '--no-shrink'];
      const told = await run(
        schemathesis ?? '',
        [...config, 'run', `${server.url}/openapi.json`, ...bounds, '--checks', CHECKS, '--warnings', 'off'],
        { cwd: folder.path, timeout: EXPLORATION_LIMIT_MS, env: { ...process.env, NO_COLOR: '1' } },
      ).catch((error: unknown) => error as { stdout: string });
      // By what it found, not by how it ended: it may have been cut off.
      expect(told.stdout).toContain('Operations:');
      expect(told.stdout).not.toMatch(/- ST\d+|❌/);
      expect(Number(/(\d+) passed/.exec(told.stdout)?.[1])).toBeGreaterThan(5);
    },
  );
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
