import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** A request and its answer, as far as `/openapi.json` speaks of them. */
export interface Answer {
  readonly method: string;
  /** With or without a query. */
  readonly path: string;
  readonly status: number;
  /** The media type, which may have parameters; empty where there is no body. */
  readonly type: string;
  readonly body: Buffer;
}

interface Described {
  readonly examples?: readonly unknown[];
}

interface Responses {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Described }>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

export interface OpenApiPaths {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Responses>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Described>> };
}

/** Holds answers of a service to what its OpenAPI document says of them. */
export class DescribedAnswers {
  readonly #document: OpenApiPaths;
  readonly #ajv: Ajv2020.default;

  constructor(document: OpenApiPaths) {
    this.#document = JSON.parse(JSON.stringify(document)) as OpenApiPaths; // of this realm, so that constants compare
    this.#ajv = new Ajv2020.default({ strict: false, allErrors: true });
    addFormats.default(this.#ajv);
    this.#ajv.addFormat('binary', true);
    this.#ajv.addSchema(this.#document, 'openapi.json');
  }

  /** Which of the document's paths a request was for; none for what it does not have. */
  operationOf(method: string, path: string): string | undefined {
    const sent = new URL(path, 'http://service').pathname.replace(/(.)\/$/, '$1');
    const found = Object.keys(this.#document.paths).filter((template) => matches(template, sent));
    const [best] = found.sort((a, b) => a.split('{').length - b.split('{').length);
    return best !== undefined && this.#document.paths[best]?.[method.toLowerCase()] ? best : undefined;
  }

  /** JSON bodies that have no example, and examples that their own schemas do not take. */
  faultsOfExamples(): readonly string[] {
    const bodies = Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { requestBody }]): Example[] => {
        const schema = requestBody?.content['application/json']?.schema;
        const at = ['paths', path, method, 'requestBody', 'content', 'application/json', 'schema'];
        return schema ? [{ at, examples: schema.examples ?? [] }] : [];
      }),
    );
    const components = Object.entries(this.#document.components.schemas).flatMap(([name, { examples }]): Example[] =>
      examples ? [{ at: ['components', 'schemas', name], examples }] : [],
    );
    return [...bodies, ...components].flatMap(({ at, examples }) => {
      if (examples.length === 0) return [`${at.join(' ')} has no example`];
      const validate = this.#ajv.compile({ $ref: `openapi.json#/${at.map(pointer).join('/')}` });
      return examples.some((example) => !validate(example))
        ? [`${at.join(' ')}: ${this.#ajv.errorsText(validate.errors)}`]
        : [];
    });
  }

  /** What the document does not say of an answer; nothing where it is as described. */
  faultsOf(answer: Answer): readonly string[] {
    const { method, path, status, body } = answer;
    const template = this.operationOf(method, path);
    if (template === undefined) return ['the document has no such route'];
    const { responses = {} } = this.#document.paths[template]?.[method.toLowerCase()] ?? {};
    const key = String(status) in responses ? String(status) : 'default';
    const response = responses[key];
    if (!response) return [`there is no status ${status}, but ${Object.keys(responses).join(', ')}`];
    const type = answer.type.replace(/;.*/, '');
    const { content = {} } = response;
    if (type === '' || body.length === 0) return Object.keys(content).length === 0 ? [] : ['there is a body to be'];
    const range = `${type.replace(/\/.*/, '')}/*`;
    const known = type in content ? type : range in content ? range : undefined;
    if (known === undefined) return [`${status} is not of the type ${type}, but ${Object.keys(content).join(', ')}`];
    if (!type.endsWith('json')) return [];
    const at = ['paths', template, method.toLowerCase(), 'responses', key, 'content', known, 'schema'].map(pointer);
    const validate = this.#ajv.compile({ $ref: `openapi.json#/${at.join('/')}` });
    if (validate(JSON.parse(body.toString('utf8')))) return [];
    return (validate.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath} ${message}`);
  }
}

interface Example {
  readonly at: readonly string[];
  readonly examples: readonly unknown[];
}

function matches(template: string, path: string): boolean {
  const parts = template.split(/\{\w+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]+')}$`).test(path);
}

function pointer(key: string): string {
  return encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));
}
