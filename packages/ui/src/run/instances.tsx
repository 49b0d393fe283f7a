import type { InstanceView } from '@paceline/api';
import { memo, useMemo, useState } from 'react';
import { Nothing } from '../parts/notice.tsx';
import { VirtualList } from '../parts/virtual-list.tsx';
import { lookOf, lookWords } from './stage.ts';

interface InstancesProps {
  instances: InstanceView[];
  chosen: string | undefined;
  onChoose: (instance: string) => void;
}

/** Every instance in a row; only those in sight are in the page. */
export const Instances = memo(function Instances({ instances, chosen, onChoose }: InstancesProps) {
  const [text, setText] = useState('');
  const shown = useMemo(() => instances.filter((instance) => searched(instance).includes(text.toLowerCase())), [instances, text]);
  return (
    <section aria-labelledby="pl-instances">
      <div className="pl-filters">
        <h2 id="pl-instances">Instances</h2>
        <label>
          Search
          <input type="search" value={text} onChange={({ target }) => setText(target.value)} placeholder="name, state, message" />
        </label>
        <span role="status" className="pl-count">
          {shown.length} of {instances.length}
        </span>
      </div>
      {shown.length === 0 ? (
        <Nothing>No instance fits.</Nothing>
      ) : (
        <VirtualList
          count={shown.length}
          label="Instances"
          rowHeight={44}
          className="pl-instances"
          keyOf={(index) => shown[index]?.name ?? index}
          row={(index) => {
            const instance = shown[index];
            return instance === undefined ? null : (
              <InstanceRow instance={instance} chosen={instance.name === chosen} onChoose={onChoose} />
            );
          }}
        />
      )}
    </section>
  );
});

function InstanceRow({ instance, chosen, onChoose }: { instance: InstanceView; chosen: boolean; onChoose: (name: string) => void }) {
  const { name, step, message, abort, fault, address, cloud, blockedIn } = instance;
  const look = lookOf(instance);
  const trouble = abort ?? fault;
  return (
    <button type="button" className="pl-instance" aria-pressed={chosen} onClick={() => onChoose(name)}>
      <span className="pl-cell" data-look={look} aria-hidden="true" />
      <strong>{name}</strong>
      <span>{blockedIn.length > 0 ? `waits for ${blockedIn.join(', ')}` : lookWords[look]}</span>
      <span className="pl-faint">{step ?? ''}</span>
      <span className={trouble === null ? 'pl-said' : 'pl-said pl-bad'}>{trouble === null ? message : `Abort: ${trouble}`}</span>
      <code className="pl-faint">{address ?? cloud}</code>
    </button>
  );
}

function searched(instance: InstanceView): string {
  const { name, address, cloud, message, abort, step } = instance;
  return [name, lookWords[lookOf(instance)], address, cloud, message, abort, step].join('\n').toLowerCase();
}
