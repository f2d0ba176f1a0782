{# Who trusts the certificate, and how a device comes to do so. #}
<script src="{{ cache_safe('/ui/js/yori/pages.js') }}"></script>
<script>
    $(document).ready(function () {
        const encoded = (text) => btoa(unescape(encodeURIComponent(YORI.text(text))));
        const show = function () {
            ajaxGet('/api/yori/trust/get', {}, function (data) {
                $('#yori_error').toggle(Boolean(data.error)).text(YORI.text(data.error));
                if (data.error) {
                    return;
                }
                const page = YORI.text(data.page);
                $('#yori_page').text(page).attr('href', /^https?:/.test(page) ? page : null);
                $('#yori_root').text(YORI.text(data.root.sha256));
                $('#yori_condition').text(YORI.text(data.condition.says ?? data.condition.kind));
                YORI.fill('#yori_trust', data.devices, (device) => [
                    device.hostname ?? device.device, device.ip, device.trusts,
                    YORI.time(device.trusted_at), YORI.time(device.refused_at)
                ]);
            });
        };
        ajaxGet('/api/yori/trust/qr', {}, function (data) {
            if (data.svg) {
                const image = new Image();
                image.alt = 'QR';
                image.width = 200;
                image.src = 'data:image/svg+xml;base64,' + encoded(data.svg);
                $('#yori_qr').empty().append(image);
            }
        });
        $('.yori_save').click(function () {
            ajaxGet('/api/yori/trust/certificate/' + $(this).data('format'), {}, function (data) {
                const link = document.createElement('a');
                link.download = data.name;
                link.href = 'data:application/octet-stream;base64,' + encoded(data.text);
                link.click();
            });
        });
        $('#yori_export').click(() => YORI.post('/api/yori/trust/export', {}, show));
        show();
        updateServiceControlUI('yori');
    });
</script>

<div id="yori_error" class="alert alert-warning" role="alert" style="display: none"></div>
<div class="content-box __mb">
    <div id="yori_qr"></div>
    <p>{{ lang._('Page with the certificate') }}: <a id="yori_page" target="_blank" rel="noreferrer"></a></p>
    <p>{{ lang._('Root, SHA-256') }}: <code id="yori_root"></code></p>
    <p>{{ lang._('Condition') }}: <span id="yori_condition"></span></p>
    <button type="button" class="btn btn-default btn-xs yori_save" data-format="pem">{{ lang._('Certificate') }}</button>
    <button type="button" class="btn btn-default btn-xs yori_save" data-format="mobileconfig">{{ lang._('Profile for iPhone, iPad and Mac') }}</button>
    <button type="button" class="btn btn-default btn-xs" id="yori_export">{{ lang._('Show it under System: Trust') }}</button>
</div>
<div class="content-box __mb">
    <table class="table table-condensed" id="yori_trust">
        <thead><tr><th>{{ lang._('Device') }}</th><th>{{ lang._('Address') }}</th><th>{{ lang._('Trusts') }}</th><th>{{ lang._('Since') }}</th><th>{{ lang._('Last refused') }}</th></tr></thead>
        <tbody></tbody>
    </table>
</div>
