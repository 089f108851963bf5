import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BadParameterError } from '../../../app/processing/errors.ts';
import { tinyPng } from '../../support/images/hostile-images.ts';
import type { HttpService } from '../../support/servers/http-service.ts';
import { openHttpService } from '../../support/servers/http-service.ts';

interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly const?: unknown;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
}

interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

/** One request with junk in one place. */
interface Probe {
  readonly what: string;
  readonly path: string;
  /** The place's own name, which an answer is to have where it is about a field. */
  readonly field: string;
  readonly init: RequestInit;
}

const IMAGE = tinyPng();
const BASE64 = IMAGE.toString('base64');
/** What a job that came in ends with: so nobody works. */
const ACCEPTED = 'this request would have been worked on';
const CONTROLS = 'x\u0000\u001b[31m\u202e\n';
const LONG = 'z'.repeat(3000);
/** Of a form and a query, which have nothing but text. */
const TEXT_JUNK = ['junk', '-1', '1e999', 'NaN', '[1]', '{"a":1}', CONTROLS, LONG];
const JSON_JUNK: readonly unknown[] = [
  { a: { b: [1] } },
  [[]],
  [null],
  -1,
  1e308,
  0.5,
  true,
  '',
  'junk',
  CONTROLS,
  LONG,
];
/** Words of the validator. */
const VALIDATOR =
  /Invalid |expected \w+, received|received \w+|Too (big|small)|Unrecognized|regex|union|NaN,? got NaN|\[object/;
/** What may be kept in memory or on disk meanwhile. */
const AT_ONCE = 8;

let service: HttpService;
let paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;

beforeAll(async () => {
  const refuse = () => () => Promise.reject(new BadParameterError(ACCEPTED));
  service = await openHttpService(refuse, { modelDownloads: false, maxQueue: 10_000, maxQueuePerCaller: 10_000 });
  const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as { readonly paths: typeof paths };
  ({ paths } = document);
});
afterAll(() => service.close());

describe('junk in a field', () => {
  it('of a form is refused in words that name it, on every route that takes one', async () => {
    const probes = operations().flatMap(({ path, operation }) =>
      formsOf(operation).flatMap((form) => formProbes(path, form)),
    );
    expect(new Set(probes.map(({ path }) => path)).size).toBeGreaterThanOrEqual(11);
    await expectPlainRefusals(probes, { leastRefused: 0.6 });
  });

  it('of a JSON body is refused in words that name it, on every route that takes one', async () => {
    const probes = operations().flatMap(({ path, operation }) => {
      const schema = operation.requestBody?.content['application/json']?.schema;
      return schema ? jsonProbes(path, schema) : [];
    });
    expect(new Set(probes.map(({ path }) => path)).size).toBeGreaterThanOrEqual(8);
    await expectPlainRefusals(probes, { leastRefused: 0.6 });
  });

  it('of a query, a path or a header is refused in words that name it, on every route that takes one', async () => {
    const probes = operations().flatMap((one) => parameterProbes(one));
    expect(new Set(probes.map(({ path }) => path.split('?')[0])).size).toBeGreaterThanOrEqual(15);
    await expectPlainRefusals(probes, { leastRefused: 0.5 });
  });
});

const met = new Set<string>();

/** All junk where a field is met for the first time; elsewhere, under the same name and schema, some of it in turn. */
function junkFor<T>(junk: readonly T[], field: unknown): readonly T[] {
  const key = JSON.stringify(field);
  if (met.has(key)) return [0, 1].flatMap((at) => junk.slice((met.size + 3 * at) % junk.length).slice(0, 1));
  met.add(key);
  return junk;
}

function operations() {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
}

function formsOf({ requestBody }: Operation): readonly Schema[] {
  const schema = requestBody?.content['multipart/form-data']?.schema;
  return schema?.anyOf ?? (schema ? [schema] : []);
}

/** A form that is whole but for one field, which is junk. */
function formProbes(path: string, { properties = {} }: Schema): readonly Probe[] {
  const fields = Object.entries(properties);
  const isFile = ({ format, items }: Schema): boolean => format === 'binary' || items?.format === 'binary';
  return fields.flatMap(([field, schema]) =>
    junkFor(isFile(schema) ? ['junk', CONTROLS] : TEXT_JUNK, [field, schema]).map((junk) => {
      const body = new FormData();
      for (const [name, other] of fields) {
        if (name === field) continue;
        if (typeof other.const === 'string') body.set(name, other.const);
        else if (isFile(other)) body.set(name, new Blob([IMAGE]), 'image.png');
        else if (FILLED[name] !== undefined) body.set(name, FILLED[name]);
      }
      body.set(field, junk);
      return { what: `${field}=${shown(junk)}`, path, field, init: { method: 'POST', body } };
    }),
  );
}

/** Fields without which a form is not whole. */
const FILLED: Readonly<Record<string, string>> = { target_width: '8', target_height: '8', region: '0,0,1,1' };

function jsonProbes(path: string, schema: Schema): readonly Probe[] {
  const whole = wholeValue(schema);
  return placesIn(schema).flatMap((place) =>
    junkFor(JSON_JUNK, [place, schemaAt(schema, place)]).map((junk) => ({
      what: `${place.join('.')}=${shown(junk)}`,
      path,
      field: place.filter((key) => typeof key === 'string').at(-1) ?? '',
      init: {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Prefer: 'respond-async' },
        body: JSON.stringify(withValue(whole, place, junk)),
      },
    })),
  );
}

/** The least that a body may hold, with pictures and jobs where they belong. */
function wholeValue({ properties = {} }: Schema): object {
  const needed: Readonly<Record<string, unknown>> = {
    jobs: [{ job_id: '0'.repeat(32) }],
    images: [BASE64],
    image: BASE64,
    imageList: [{ data: BASE64, name: 'image' }],
    config: {},
  };
  return Object.fromEntries(Object.keys(properties).flatMap((name) => (name in needed ? [[name, needed[name]]] : [])));
}

type Place = readonly (string | number)[];

/** Where a value of a schema may have junk: in itself, and in all that it holds. */
function placesIn({ properties, items }: Schema): readonly Place[] {
  if (items) return [[], ...placesIn(items).map((within): Place => [0, ...within])];
  if (!properties) return [[]];
  const fields = Object.entries(properties);
  return [[], ...fields.flatMap(([name, schema]) => placesIn(schema).map((place) => [name, ...place]))];
}

function schemaAt(schema: Schema, [key, ...rest]: Place): Schema {
  if (key === undefined) return schema;
  const within = typeof key === 'number' ? schema.items : schema.properties?.[key];
  return schemaAt(within ?? {}, rest);
}

function withValue(value: unknown, [key, ...rest]: Place, junk: unknown): unknown {
  if (key === undefined) return junk;
  if (typeof key === 'number') return [withValue(Array.isArray(value) ? value[key] : {}, rest, junk)];
  const object = (value ?? {}) as Readonly<Record<string, unknown>>;
  return { ...object, [key]: withValue(object[key], rest, junk) };
}

/** Junk in each query parameter, each part of a path and each header. */
function parameterProbes({ path, method, operation }: ReturnType<typeof operations>[number]): readonly Probe[] {
  const { parameters = [], requestBody } = operation;
  const body = requestBody?.content['image/*'] && IMAGE;
  const headers = { ...(body && { 'Content-Type': 'image/png' }), Prefer: 'respond-async' };
  const filled = path.replace(/\{number\}/g, '0').replace(/\{\w+\}/g, '0'.repeat(32));
  const url =
    path === '/preview' || path === '/v1/upscale' ? `${filled}?${new URLSearchParams(FILLED).toString()}` : filled;
  return parameters.flatMap(({ in: place, name: field }) =>
    junkFor(TEXT_JUNK, [place, field]).map((junk) => {
      const what = `${place} ${field}=${shown(junk)}`;
      const init = { method, headers, ...(body && { body: new Uint8Array(body) }) };
      if (place === 'path') return { what, field, init, path: path.replace(`{${field}}`, encodeURIComponent(junk)) };
      if (place === 'header')
        return {
          what,
          field,
          path: url,
          init: { ...init, headers: { ...headers, [field]: junk.replace(/[^\x20-\x7e]/g, 'é') } },
        };
      const query = new URLSearchParams(url.split('?')[1]);
      query.set(field, junk);
      return { what, field, init, path: `${filled}?${query.toString()}` };
    }),
  );
}

async function expectPlainRefusals(probes: readonly Probe[], { leastRefused }: { readonly leastRefused: number }) {
  const left = [...probes];
  const faults: string[] = [];
  let refused = 0;
  const ask = async (): Promise<void> => {
    for (let probe = left.pop(); probe; probe = left.pop()) {
      const answer = await answerTo(probe);
      if (answer.isRefusal) refused++;
      faults.push(...faultsOf(probe, answer));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  expect(faults.slice(0, 30)).toEqual([]);
  expect(refused / probes.length).toBeGreaterThan(leastRefused);
}

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly message: string;
  readonly isRefusal: boolean;
}

async function answerTo({ path, init }: Probe): Promise<Answer> {
  const response = await fetch(service.url + path, init);
  const { status } = response;
  if (status < 400) {
    await response.body?.cancel();
    return { status, code: undefined, message: '', isRefusal: false };
  }
  const text = await response.text();
  const message = messageIn(JSON.parse(text));
  const isRefusal = !message.includes(ACCEPTED);
  const code = /"(ERR_\w+)"/.exec(text)?.[1];
  return { status, code, message, isRefusal };
}

/** In a problem document, in what gateways answer, or in what FastAPI and the WebUI do. */
function messageIn(body: unknown): string {
  const { detail, error } = body as {
    readonly detail?: unknown;
    readonly error?: { readonly message?: string } | string;
  };
  if (typeof detail === 'string') return detail;
  if (Array.isArray(detail)) return (detail[0] as { readonly msg: string }).msg;
  return typeof error === 'object' ? (error.message ?? '') : '';
}

function faultsOf({ what, path, field }: Probe, { status, code, message, isRefusal }: Answer): readonly string[] {
  if (!isRefusal || status < 400) return [];
  const told = `${path} ${what}: ${status} ${message}`;
  // The WebUI answers 500 for what is no image, and so do we to its clients.
  const isNoImage = status === 500 && message.startsWith('Invalid encoded image');
  const isOfField = code === 'ERR_BAD_PARAMETER' || status === 422;
  const faults: readonly [isFault: boolean, what: string][] = [
    [status >= 500 && !isNoImage, 'an error of the server'],
    [message === '', 'says nothing'],
    [message.length > 400, 'too long'],
    [VALIDATOR.test(message.replace('Invalid encoded image', '')), "the validator's words"],
    [/\p{C}|long text [0-9a-f]{8}/u.test(message), 'not for print'],
    [
      isOfField && !message.includes(field.replace(/s$/, '')) && !message.includes('The body'),
      'does not name the field',
    ],
    [
      isOfField && !/must|expected|needs|give |at most|is not taken|there is no/.test(message),
      'does not say what is accepted',
    ],
  ];
  return faults.flatMap(([isFault, fault]) => (isFault ? [`${fault}: ${told.slice(0, 300)}`] : []));
}

function shown(junk: unknown): string {
  return JSON.stringify(junk).slice(0, 20);
}
