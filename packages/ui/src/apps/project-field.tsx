import { everyProject } from '@paceline/api';
import { useId } from 'react';
import { useHost } from '../host.tsx';

/** The project of a new run, where there is a choice. @param value empty for what the server takes by itself */
export function ProjectField({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { projects = [] } = useHost();
  const list = useId();
  const known = projects.filter((project) => project !== everyProject);
  if (projects.includes(everyProject)) {
    return (
      <label>
        Project
        <input value={value} list={list} maxLength={200} onChange={({ target }) => onChange(target.value)} placeholder="default" />
        <datalist id={list}>
          {known.map((project) => (
            <option key={project} value={project} />
          ))}
        </datalist>
      </label>
    );
  }
  if (known.length < 2) return null;
  return (
    <label>
      Project
      <select value={value} required onChange={({ target }) => onChange(target.value)}>
        <option value="" />
        {known.map((project) => (
          <option key={project}>{project}</option>
        ))}
      </select>
    </label>
  );
}
