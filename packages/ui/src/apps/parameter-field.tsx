import { useId } from 'react';
import { isSecret, type Field } from '@paceline/api';

interface ParameterFieldProps {
  field: Field;
  /** Undefined for the default. */
  value: string | undefined;
  onChange: (value: string) => void;
}

/** The control that fits a parameter. The server checks what comes of it; this only helps. */
export function ParameterField({ field: { label, spec }, value, onChange }: ParameterFieldProps) {
  const hint = useId();
  const shown = value ?? spec.default ?? '';
  const common = { value: shown, required: spec.required === true && spec.default === undefined, 'aria-describedby': hint };
  const change = ({ target }: { target: { value: string } }): void => onChange(target.value);
  const control = () => {
    if (spec.type === 'boolean') {
      return (
        <input
          type="checkbox"
          checked={shown === 'true'}
          aria-describedby={hint}
          onChange={({ target }) => onChange(String(target.checked))}
        />
      );
    }
    if (spec.type === 'enum') {
      return (
        <select {...common} onChange={change}>
          {spec.default === undefined && <option value="" />}
          {spec.values?.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      );
    }
    if (spec.type === 'text') return <textarea {...common} rows={4} onChange={change} />;
    if (isSecret(spec)) return <input {...common} type="password" autoComplete="new-password" onChange={change} />;
    if (spec.type === 'integer' || spec.type === 'number') {
      const { minimum, maximum } = spec;
      return <input {...common} type="number" step={spec.type === 'integer' ? 1 : 'any'} min={minimum} max={maximum} onChange={change} />;
    }
    return <input {...common} onChange={change} />;
  };
  return (
    <div className="pl-field">
      <label>
        {label}
        {control()}
      </label>
      <span id={hint} className="pl-faint">
        {spec.description}
      </span>
    </div>
  );
}
