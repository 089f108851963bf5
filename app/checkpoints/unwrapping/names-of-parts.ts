/** The average of the weights over the training: what a trainer means to be used. */
const AVERAGE = /(^|[_-])ema([_-]|$)|averaged/i;

/** What is trained beside a network, or counts its training: of no use to who runs it. */
const SIDE =
  /^(net_?d|model_?d|disc|discriminator|(\w+_)?loss(es)?(_(fn|func))?|criterion|cri|perceptual|lpips|vgg(16|19)?|optim(izer)?s?|(lr_)?schedulers?|metrics?|callbacks?)([_-](states?|state_dict|ema|params|[abd\d]))*$/i;

/** Buffers and numbers of a training, by the last part of their names. */
const COUNTERS: ReadonlySet<string> = new Set(
  'num_batches_tracked n_averaged num_updates initted step steps global_step step_counter counter iter iteration current_iter epoch decay ema_decay lr best_psnr psnr total_ops total_params'.split(
    ' ',
  ),
);

/** Whether a part of a name says that weights are averages over the training (`ema` and the like). */
export function isAverage(part: string): boolean {
  return AVERAGE.test(part);
}

/** Of a prefix of names: a network may have a part that is called `d`. */
export function isSidePart(part: string): boolean {
  return SIDE.test(part);
}

/** Of a key of a dict that wraps others: `G` and `D` are what a pair of networks is called. */
export function isSideKey(key: string): boolean {
  return isSidePart(key) || /^d(_(state_dict|ema|params|[ab]))?$/i.test(key);
}

/** Whether a tensor's name says that it counts something. */
export function isCounterName(name: string): boolean {
  return COUNTERS.has(name.slice(name.lastIndexOf('.') + 1));
}
