// The theme without its web font: nothing that the system does not have itself.
import DefaultTheme from 'vitepress/theme-without-fonts';
import './style.css';

export default DefaultTheme;
