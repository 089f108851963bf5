import type { JSX } from 'preact';
import { inBytes } from '../state/estimate.ts';
import type { Model } from '../state/models.ts';
import { download, models, modelsNote, modelsProblem, takesModels } from '../state/models.ts';

/** What is installed, what it is good for, its licence, and the rest to be fetched. */
export function ModelsPanel(): JSX.Element {
  const all = models.value;
  const installed = all.filter((model) => model.installed).length;
  return (
    <details class="panel models" open={modelsNote.value !== '' || modelsProblem.value !== ''}>
      <summary>
        Models <small>{all.length === 0 ? '' : `${installed} of ${all.length} installed`}</small>
      </summary>
      {modelsProblem.value !== '' && (
        <p class="problem" role="alert">
          {modelsProblem.value}
        </p>
      )}
      {modelsNote.value !== '' && <p class="note">{modelsNote.value}</p>}
      {takesModels.value && <p class="hint">Drop a checkpoint (.pth, .safetensors) anywhere to add it.</p>}
      <ul>
        {all.map((model) => (
          <ModelRow key={model.name} model={model} />
        ))}
      </ul>
    </details>
  );
}

function ModelRow({ model }: { readonly model: Model }): JSX.Element {
  const { name, purpose, licence, size, installed, downloading, url, problem } = model;
  const isNonCommercial = /non-?commercial|nc\b|S-Lab/i.test(licence ?? '');
  return (
    <li>
      <span>
        <strong>{name}</strong> {purpose && <small>{purpose}</small>}
        <br />
        <small>
          {licence ?? 'licence unknown'}
          {isNonCommercial && <em class="badge">not for commercial use</em>}
          {size !== null && `, ${inBytes(size)}`}
        </small>
        {problem && <small class="problem">{problem}</small>}
      </span>
      {downloading ? (
        <progress
          aria-label={`${name}, download`}
          max={downloading.total_bytes ?? 1}
          value={downloading.total_bytes ? downloading.downloaded_bytes : 0}
        />
      ) : installed ? (
        <span class="installed">installed</span>
      ) : (
        url && (
          <button type="button" aria-label={`Download ${name}`} onClick={() => void download(name)}>
            Download
          </button>
        )
      )}
    </li>
  );
}
