/**
 * What the trust page runs in a browser, old ones included: it says that a test begins, asks
 * for the endpoint's self-test, and when no answer comes asks what YORI saw. It shows text,
 * never markup, in the words that the form brings along. A constant, so that the page's policy
 * can name its hash.
 */
export const TRUST_SCRIPT = `'use strict';
(function () {
  var WAIT_MS = 10000;
  function ask(url, options) {
    var gone = new AbortController();
    var timer = setTimeout(function () { gone.abort(); }, WAIT_MS);
    options.signal = gone.signal;
    options.cache = 'no-store';
    options.headers = { accept: 'application/json' };
    return fetch(url, options)
      .then(function (response) { return response.json(); })
      .finally(function () { clearTimeout(timer); });
  }
  function nonce() {
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.prototype.map.call(bytes, function (byte) {
      return ('0' + byte.toString(16)).slice(-2);
    }).join('');
  }
  function attempt(form, left) {
    var word = nonce();
    return ask(form.dataset.test + '?nonce=' + word, { credentials: 'omit', redirect: 'error' })
      .then(function (answer) {
        if (answer.nonce !== word || answer.root !== form.dataset.root) return 'other';
        if (answer.fresh) return 'trusted';
        return left > 0 ? attempt(form, left - 1) : 'old';
      });
  }
  function result(words) {
    return ask('/trust/result', {}).then(
      function (seen) { return seen.says; },
      function () { return words.lost; }
    );
  }
  function start(event) {
    var form = event.currentTarget;
    var words = JSON.parse(form.dataset.says);
    var shown = form.querySelector('[role=status]');
    var button = form.querySelector('button');
    event.preventDefault();
    button.disabled = true;
    shown.className = '';
    shown.textContent = words.testing;
    ask(form.action, { method: 'POST' })
      .then(function (begun) {
        if (begun.says) return ['failed', begun.says];
        return attempt(form, 2).then(
          function (how) { return [how, words[how]]; },
          function () { return result(words).then(function (says) { return ['failed', says]; }); }
        );
      }, function () { return ['failed', words.lost]; })
      .then(function (end) {
        shown.className = end[0] === 'trusted' ? 'good' : 'bad';
        shown.textContent = end[1];
        button.disabled = false;
      });
  }
  document.querySelectorAll('form[data-test]').forEach(function (form) {
    form.addEventListener('submit', start);
  });
})();`
