import { CheckpointInspector } from '../../catalog/inspection/checkpoint-inspector.ts';
import { InspectionError } from '../../catalog/errors.ts';
import type { PictureModel } from '../../exported/picture-model.ts';
import { pictureModelSchema } from '../../exported/picture-model.ts';
import { RememberedFacts } from '../../files/remembered-facts.ts';

const facts = new RememberedFacts();
const FACT = 'onnx';

/**
 * What an ONNX file does with pictures, found out in a process with bounds on time and memory; once, as long as the file does not
 * change.
 * @throws InspectionError
 */
export async function pictureModelOf(file: string): Promise<PictureModel> {
  const known = pictureModelSchema.safeParse(parsed(facts.recall(file, FACT)));
  if (known.success) return known.data;
  const since = Date.now();
  const { onnx } = await new CheckpointInspector().inspect(file);
  if (onnx === undefined) throw new InspectionError('it is no ONNX model');
  facts.remember(file, FACT, { text: JSON.stringify(onnx), since });
  return onnx;
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
