{# The last 24 hours at a glance. #}
<script src="{{ cache_safe('/ui/js/yori/pages.js') }}"></script>
<script>
    $(document).ready(function () {
        const show = function () {
            ajaxGet('/api/yori/dashboard/get', {}, function (data) {
                $('#yori_error').toggle(Boolean(data.error)).text(YORI.text(data.error));
                if (data.error) {
                    return;
                }
                const total = data.usage.total;
                $('#yori_mode').text(YORI.text(data.mode));
                $('#yori_state').text(YORI.text(data.status));
                $('#yori_calls').text(YORI.number(total.calls));
                $('#yori_blocked').text(YORI.number(total.blocks));
                $('#yori_devices').text(YORI.number(data.activity.devices.length));
                const cost = total.costMicroUsd;
                $('#yori_cost').text(Number.isInteger(cost) ? '$' + (cost / 1e6).toFixed(2) : '');
                const sum = (list) => list.reduce((all, one) => all + Number(one), 0);
                const perHour = data.activity.hours.map((hour, index) => ({
                    hour: hour,
                    calls: sum(data.activity.devices.map((device) => device.calls[index] ?? 0)),
                    blocks: sum(data.activity.devices.map((device) => device.blocks[index] ?? 0))
                }));
                const most = Math.max(1, ...perHour.map((one) => one.calls));
                YORI.fill('#yori_hours', perHour, (one) => [
                    YORI.time(one.hour),
                    $('<div class="progress"/>').append($('<div class="progress-bar"/>')
                        .css('width', (100 * one.calls / most) + '%').text(YORI.number(one.calls))),
                    YORI.number(one.blocks)
                ]);
                YORI.fill('#yori_top', data.activity.devices, (device) => [
                    device.name, YORI.number(sum(device.calls)), YORI.number(sum(device.blocks))
                ]);
                YORI.fill('#yori_providers', data.usage.providers, (line) => [
                    line.name, YORI.number(line.calls)
                ]);
            });
            ajaxGet('/api/yori/alerts/get', {}, function (data) {
                YORI.fill('#yori_alerts', (data.alerts ?? []).slice(0, 5), (alert) => [
                    YORI.time(alert.timestamp), alert.reason
                ]);
            });
        };
        show();
        setInterval(show, 10000);
        updateServiceControlUI('yori');
    });
</script>

<div id="yori_error" class="alert alert-warning" role="alert" style="display: none"></div>
<div class="content-box __mb">
    <table class="table table-condensed">
        <thead>
            <tr>
                <th>{{ lang._('Mode') }}</th>
                <th>{{ lang._('State') }}</th>
                <th>{{ lang._('Calls, 24 hours') }}</th>
                <th>{{ lang._('Blocked') }}</th>
                <th>{{ lang._('Devices') }}</th>
                <th>{{ lang._('Cost') }}</th>
            </tr>
        </thead>
        <tbody>
            <tr>
                <td id="yori_mode"></td>
                <td id="yori_state"></td>
                <td id="yori_calls"></td>
                <td id="yori_blocked"></td>
                <td id="yori_devices"></td>
                <td id="yori_cost"></td>
            </tr>
        </tbody>
    </table>
</div>
<div class="row">
    <div class="col-md-6">
        <div class="content-box __mb">
            <table class="table table-condensed" id="yori_hours">
                <thead><tr>
                    <th>{{ lang._('Hour') }}</th><th>{{ lang._('Calls') }}</th><th>{{ lang._('Blocked') }}</th>
                </tr></thead>
                <tbody></tbody>
            </table>
        </div>
    </div>
    <div class="col-md-6">
        <div class="content-box __mb">
            <table class="table table-condensed" id="yori_top">
                <thead><tr>
                    <th>{{ lang._('Device') }}</th><th>{{ lang._('Calls') }}</th><th>{{ lang._('Blocked') }}</th>
                </tr></thead>
                <tbody></tbody>
            </table>
        </div>
        <div class="content-box __mb">
            <table class="table table-condensed" id="yori_providers">
                <thead><tr><th>{{ lang._('Provider') }}</th><th>{{ lang._('Calls') }}</th></tr></thead>
                <tbody></tbody>
            </table>
        </div>
        <div class="content-box __mb">
            <table class="table table-condensed" id="yori_alerts">
                <thead><tr><th>{{ lang._('Time') }}</th><th>{{ lang._('Alert') }}</th></tr></thead>
                <tbody></tbody>
            </table>
            <a class="btn btn-default btn-xs" href="/ui/yori/index/alerts">{{ lang._('All alerts') }}</a>
        </div>
    </div>
</div>
