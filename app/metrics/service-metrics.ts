import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Job } from '../jobs/job.ts';
import { secondsBetween } from '../jobs/job-times.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import { restoresFaces } from '../options/extras-options.ts';
import { METHODS } from '../options/methods.ts';
import type { ResultInfo } from '../processing/result.ts';
import { makerOf } from '../processing/result.ts';

/** From a filter on a small image to a network on a large one without a GPU. */
const SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000];

/** What Prometheus is told: how the queue stands, what became of jobs and how long it took, the memory of the process. */
export class ServiceMetrics {
  readonly #registry = new Registry();
  readonly #jobs = this.#counter('jobs_total', 'Jobs that ended', ['method', 'outcome']);
  readonly #images = this.#counter('images_total', 'Images of jobs that completed', ['outcome']);
  readonly #restorations = this.#counter(
    'restorations_total',
    'Restored images (faces, colours, noise, blur): succeeded, fell_back to something else, or failed',
    ['outcome'],
  );
  readonly #tiles = this.#counter('tiles_total', 'Tiles that networks have run', ['model']);
  readonly #fallbacks = this.#counter('fallbacks_total', 'Steps down from what was asked', ['from', 'to']);
  readonly #stages = this.#histogram('stage_seconds', 'Seconds of one stage of one image', ['stage', 'model']);
  readonly #runs = this.#histogram('job_seconds', 'Seconds a job ran', ['method']);
  readonly #waits = this.#histogram('job_wait_seconds', 'Seconds a job waited before it ran last', ['method']);

  /** Counts from now on. */
  constructor(queue: JobQueue) {
    collectDefaultMetrics({ register: this.#registry });
    this.#watchQueue(queue);
    queue.events.on('settled', (job) => this.#ended(job));
  }

  /** The media type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything, in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #watchQueue(queue: JobQueue): void {
    const jobs = new Gauge({
      name: 'hiresfix_jobs',
      help: 'Jobs that wait (queued) and that run (processing)',
      labelNames: ['status'],
      registers: [this.#registry],
      collect: async () => {
        jobs.reset(); // a store that is away says nothing, and the rest is told all the same
        const counts = await queue.counts().catch(() => undefined);
        if (!counts) return;
        jobs.set({ status: 'queued' }, counts.queued);
        jobs.set({ status: 'processing' }, counts.processing);
      },
    });
  }

  #ended(job: Job): void {
    const { status: outcome, method, results, failures } = job;
    this.#jobs.inc({ method, outcome });
    const [waited, ran] = [secondsBetween(job, 'created', 'started'), secondsBetween(job, 'started', 'finished')];
    if (waited !== undefined && ran !== undefined) {
      this.#waits.observe({ method }, waited);
      this.#runs.observe({ method }, ran);
    }
    if (outcome === 'failed' && isRestoration(job)) this.#restorations.inc({ outcome: 'failed' }, job.inputs.length);
    if (outcome !== 'completed') return;
    this.#images.inc({ outcome: 'completed' }, results.length);
    this.#images.inc({ outcome: 'failed' }, failures.length);
    if (isRestoration(job)) this.#restorations.inc({ outcome: 'failed' }, failures.length);
    for (const { info } of results) this.#made(info);
  }

  #made(info: ResultInfo): void {
    const model = makerOf(info);
    for (const [stage, seconds] of Object.entries(info.seconds)) this.#stages.observe({ stage, model }, seconds);
    if (info.tiles !== undefined) this.#tiles.inc({ model }, info.tiles);
    for (const { from, to } of info.fallbacks) this.#fallbacks.inc({ from, to });
    const isListOfFaces = info.format === 'json';
    if (info.steps !== undefined || ('face_model' in info && !isListOfFaces)) {
      this.#restorations.inc({ outcome: info.fallbacks.length > 0 ? 'fell_back' : 'succeeded' });
    }
  }

  #counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> {
    return new Counter({ name: `hiresfix_${name}`, help, labelNames: [...labelNames], registers: [this.#registry] });
  }

  #histogram<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Histogram<Label> {
    const registers = [this.#registry];
    return new Histogram({ name: `hiresfix_${name}`, help, labelNames: [...labelNames], buckets: SECONDS, registers });
  }
}

/** Whether more than a size was asked for. */
function isRestoration({ method, work }: Job): boolean {
  const { restores } = METHODS[method];
  if (restores !== 'where faces are asked for') return restores === 'always';
  if (work.kind === 'extras') return restoresFaces(work.options);
  return work.kind === 'hires-fix' && work.options.is_face_enhance === true;
}
