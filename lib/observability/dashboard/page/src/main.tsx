import 'uplot/dist/uPlot.min.css';
import './page.css';
import { render } from 'preact';
import { followDetail } from './state/detail.js';
import { followKeys } from './state/keys.js';
import { startLive } from './state/live.js';
import { followAddress } from './state/place.js';
import { followTheme } from './state/theme.js';
import { App } from './view/app.js';

followTheme();
followAddress();
followKeys();
followDetail();
startLive();

const place = document.getElementById('app');
if (place !== null) render(<App />, place);
