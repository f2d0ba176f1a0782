/**
 * What the trust page runs in a browser, old ones included: it says that a test begins, asks
 * for the endpoint's self-test, and when no answer comes asks what YORI saw. It shows text,
 * never markup. A constant, so that the page's policy can name its hash.
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
  var SAYS = {
    trusted: 'It works: this device is led through YORI and trusts it.',
    other: 'Something answered, but not this YORI: another one, or a site in its place.',
    old: 'This device trusts YORI by a connection that it opened before. Test again in a minute.',
    lost: 'YORI itself did not answer. Is this device still on the network?'
  };
  function result(form) {
    return ask('/trust/result', {}).then(
      function (seen) { return seen.says; },
      function () { return SAYS.lost; }
    );
  }
  function start(event) {
    var form = event.currentTarget;
    var shown = form.querySelector('[role=status]');
    var button = form.querySelector('button');
    event.preventDefault();
    button.disabled = true;
    shown.className = '';
    shown.textContent = 'Testing\\u2026';
    ask(form.action, { method: 'POST' })
      .then(function (begun) {
        if (begun.says) return ['failed', begun.says];
        return attempt(form, 2).then(
          function (how) { return [how, SAYS[how]]; },
          function () { return result(form).then(function (says) { return ['failed', says]; }); }
        );
      }, function () { return ['failed', SAYS.lost]; })
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
