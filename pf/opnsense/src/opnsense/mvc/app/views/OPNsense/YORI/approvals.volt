{# What was refused and waits for somebody, what lets devices past now, and the emergency override. #}
<script src="{{ cache_safe('/ui/js/yori/pages.js') }}"></script>
<script>
    $(document).ready(function () {
        const show = function () {
            ajaxGet('/api/yori/approvals/get', {}, function (data) {
                $('#yori_error').toggle(Boolean(data.error)).text(YORI.text(data.error));
                YORI.fill('#yori_blocked', data.blocked ?? [], (row) => {
                    const acts = $('<div class="btn-group"/>');
                    const at = (what) => '/api/yori/approvals/' + what + '/' + encodeURIComponent(row.code);
                    acts.append(YORI.button("{{ lang._('Once') }}", at('approve'), {}, show));
                    acts.append(YORI.button("{{ lang._('An hour') }}", at('approve'), {'for': '1h'}, show));
                    acts.append(YORI.button("{{ lang._('Always') }}", at('approve'), {'for': 'always'}, show));
                    acts.append(YORI.button("{{ lang._('No') }}", at('deny'), {}, show));
                    const of = row.exchange;
                    return [row.code, YORI.time(of.timestamp), of.device_hostname ?? of.device_ip, of.endpoint_domain,
                        of.policy_name, of.policy_message ?? of.reason, row.answer, acts];
                });
                YORI.fill('#yori_grants', data.grants ?? [], (grant) => [
                    grant.policy, YORI.time(grant.until),
                    YORI.button("{{ lang._('Take back') }}", '/api/yori/approvals/revoke/' + encodeURIComponent(grant.id), {}, show)
                ]);
            });
            ajaxGet('/api/yori/emergency/get_status', {}, function (data) {
                $('#yori_emergency').text(data.active ? YORI.text(data.until) : "{{ lang._('not active') }}");
            });
        };
        const typed = () => ({
            password: $('#yori_password').val(),
            minutes: $('#yori_minutes').val(),
            reason: $('#yori_reason').val()
        });
        $('#yori_activate').click(() => YORI.post('/api/yori/emergency/activate', typed(), show));
        $('#yori_deactivate').click(() => YORI.post('/api/yori/emergency/deactivate', typed(), show));
        show();
        updateServiceControlUI('yori');
    });
</script>

<div id="yori_error" class="alert alert-warning" role="alert" style="display: none"></div>
<div class="content-box __mb">
    <table class="table table-condensed" id="yori_blocked">
        <thead><tr><th>{{ lang._('Code') }}</th><th>{{ lang._('Time') }}</th><th>{{ lang._('Device') }}</th><th>{{ lang._('Host') }}</th><th>{{ lang._('Policy') }}</th><th>{{ lang._('Why') }}</th><th>{{ lang._('Answer') }}</th><th>{{ lang._('Let it pass') }}</th></tr></thead>
        <tbody></tbody>
    </table>
</div>
<div class="content-box __mb">
    <table class="table table-condensed" id="yori_grants">
        <thead><tr><th>{{ lang._('Policy') }}</th><th>{{ lang._('Until') }}</th><th></th></tr></thead>
        <tbody></tbody>
    </table>
</div>
<div class="content-box __mb">
    <p>{{ lang._('Emergency override') }}: <span id="yori_emergency"></span></p>
    <label>{{ lang._('Password') }} <input type="password" id="yori_password" autocomplete="off"/></label>
    <label>{{ lang._('Minutes') }} <input type="number" id="yori_minutes" value="60" min="1"/></label>
    <label>{{ lang._('Reason') }} <input type="text" id="yori_reason"/></label>
    <button type="button" class="btn btn-danger btn-xs" id="yori_activate">{{ lang._('End all blocking') }}</button>
    <button type="button" class="btn btn-default btn-xs" id="yori_deactivate">{{ lang._('Block again') }}</button>
</div>
