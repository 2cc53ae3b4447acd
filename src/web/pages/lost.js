// A path that no page has: what was looked for, and how one goes on. The node answers 404 then (edge/console.c).
import {html} from '../lib/htm.js';
import {t} from '../i18n.js';
import {useLocation} from '../router.js';
import {Page, Code} from '../ui.js';
import {Search} from '../shell.js';

export default function Lost() {
  const {path} = useLocation();
  return html`<${Page} title=${t('lost')}><section class="panel lost"><p>${t('lost.text')} <${Code}>${path}<//></p><${Search} />
    <p><a href="/">${t('page.today')}</a></p></section><//>`;
}
