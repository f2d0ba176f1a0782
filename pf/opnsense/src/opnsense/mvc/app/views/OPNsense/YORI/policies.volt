{# Policies, what each may do, and their parameters. #}
<script src="{{ cache_safe('/ui/js/yori/pages.js') }}"></script>
<script>
    $(document).ready(function () {
        YORI.forms(['frm_policies']);
        YORI.grid('#{{ formGridPolicy['table_id'] }}', 'policy', true);
        YORI.grid('#{{ formGridParameter['table_id'] }}', 'parameter', false);
        ajaxGet('/api/yori/enforcement/catalogue', {}, function (data) {
            YORI.fill('#yori_catalogue', data.policies ?? [], (policy) => [
                policy.name, policy.description, Object.keys(policy.parameters ?? {}).join(', ')
            ]);
        });
    });
</script>

<ul class="nav nav-tabs" data-tabs="tabs" id="maintabs">
    <li class="active"><a data-toggle="tab" href="#tab_frm_policies">{{ lang._('General') }}</a></li>
    <li><a data-toggle="tab" href="#tab_policy">{{ lang._('Policies') }}</a></li>
    <li><a data-toggle="tab" href="#tab_parameter">{{ lang._('Parameters') }}</a></li>
    <li><a data-toggle="tab" href="#tab_catalogue">{{ lang._('Catalogue') }}</a></li>
</ul>
<div class="tab-content content-box">
    <div id="tab_catalogue" class="tab-pane fade">
        <table class="table table-condensed" id="yori_catalogue">
            <thead><tr><th>{{ lang._('Policy') }}</th><th>{{ lang._('Does') }}</th><th>{{ lang._('Parameters') }}</th></tr></thead>
            <tbody></tbody>
        </table>
    </div>
    <div id="tab_frm_policies" class="tab-pane fade in active">
        {{ partial('layout_partials/base_form', ['fields': formPolicies, 'id': 'frm_policies']) }}
    </div>
    <div id="tab_policy" class="tab-pane fade">
        {{ partial('layout_partials/base_bootgrid_table', formGridPolicy) }}
    </div>
    <div id="tab_parameter" class="tab-pane fade">
        {{ partial('layout_partials/base_bootgrid_table', formGridParameter) }}
    </div>
</div>
{{ partial('layout_partials/base_apply_button', ['data_endpoint': '/api/yori/service/reconfigure', 'data_service_widget': 'yori']) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogPolicy, 'id': formGridPolicy['edit_dialog_id'], 'label': lang._('Policies')]) }}
{{ partial('layout_partials/base_dialog', ['fields': formDialogParameter, 'id': formGridParameter['edit_dialog_id'], 'label': lang._('Parameters')]) }}
