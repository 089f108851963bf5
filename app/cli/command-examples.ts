import type { Command } from 'commander';
import { addExamples } from './image-arguments.ts';

/** Examples of the commands whose own files give none, by the words that lead to them. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  serve: ['serve', 'serve --port 9000', 'serve --open'],
  evaluate: [
    'evaluate original.png result.png --crop-border 4',
    'evaluate references/ results/ --y-channel --report report/',
  ],
  models: ['models list', 'models download realesrgan-x4plus'],
  'models list': ['models list', 'models list --json'],
  'models download': ['models download realesrgan-x4plus gfpgan-1.4'],
  'models verify': ['models verify', 'models verify realesrgan-x4plus --json'],
  'models optimize': ['models optimize realesrgan-x4plus', 'models optimize models/4x-UltraSharp.pth --images photos/'],
  'models inspect': ['models inspect models/4x-UltraSharp.pth --json'],
  'models run': ['models run models/4x-UltraSharp.pth --input in.safetensors --output out.safetensors'],
};

/** Adds these examples to the help of the commands that `program` has of them. */
export function addCommandExamples(program: Command, path = ''): void {
  for (const command of program.commands) {
    const words = `${path} ${command.name()}`.trim();
    const examples = EXAMPLES[words];
    if (examples) addExamples(command, examples);
    addCommandExamples(command, words);
  }
}
