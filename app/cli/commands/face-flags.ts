import type { Command } from 'commander';
import { Option } from 'commander';

/** What `addFaceRestorationOptions` adds. */
export const FACE_RESTORATION_FLAGS = ['faceModel', 'faceRestorationStrength', 'fidelity'] as const;

/** What `addFaceChoiceOptions` adds. */
export const FACE_CHOICE_FLAGS = ['onlyCenterFace', 'faces', 'minFaceSize', 'strict'] as const;

/**
 * Adds how faces are restored.
 * @param models the networks that may be asked for
 * @param standard which of them restores if none is: the end of a sentence
 */
export function addFaceRestorationOptions(command: Command, models: readonly string[], standard: string): Command {
  return command
    .addOption(new Option('--face-model <model>', `network that restores faces; ${standard}`).choices(models))
    .option('--face-restoration-strength <0..1>', 'how much of the restored face shows')
    .option('--fidelity <0..1>', 'codeformer only: 0 looks best, 1 is most like the input; 0.5 by default');
}

/** Adds which faces of a picture are restored, and what it means that they cannot be. */
export function addFaceChoiceOptions(command: Command): void {
  command
    .optionsGroup('Faces:')
    .option('--only-center-face', 'restore only the face nearest to the centre')
    .option('--faces <numbers>', 'which faces to restore, as `hiresfix faces` numbers them: 0,2')
    .option('--min-face-size <pixels>', 'leave smaller faces as they are')
    .option('--strict', 'fail if restoring faces fails for any reason; by default only if a model is missing')
    .option('--no-strict', 'never fail because of faces: leave them as they are, and say so');
}
