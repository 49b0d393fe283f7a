import { createRoot } from 'react-dom/client';
import * as z from 'zod';
import '@paceline/ui/styles.css';
import './dashboard.css';
import { Application } from './application.tsx';

// The policy of the page forbids to make code of text.
z.config({ jitless: true });

const root = document.querySelector('#root');
if (root !== null) createRoot(root).render(<Application />);
