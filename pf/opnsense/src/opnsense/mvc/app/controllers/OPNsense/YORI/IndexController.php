<?php

namespace OPNsense\YORI;

/** The pages; what stands in them comes from /api/yori. */
class IndexController extends \OPNsense\Base\IndexController
{
    /** The dashboard. */
    public function indexAction()
    {
        $this->view->pick('OPNsense/YORI/index');
    }

    public function devicesAction()
    {
        $this->grids(['Device', 'Group', 'Schedule', 'Person']);
        $this->view->pick('OPNsense/YORI/devices');
    }

    public function policiesAction()
    {
        $this->view->formPolicies = $this->getForm('policies');
        $this->grids(['Policy', 'Parameter']);
        $this->view->pick('OPNsense/YORI/policies');
    }

    public function approvalsAction()
    {
        $this->view->pick('OPNsense/YORI/approvals');
    }

    public function liveAction()
    {
        $this->view->pick('OPNsense/YORI/live');
    }

    public function logsAction()
    {
        $this->view->pick('OPNsense/YORI/logs');
    }

    public function alertsAction()
    {
        $this->view->formAlerts = $this->getForm('alerts');
        $this->grids(['Sink', 'Rule']);
        $this->view->pick('OPNsense/YORI/alerts');
    }

    public function settingsAction()
    {
        foreach (['general', 'steering', 'record'] as $name) {
            $this->view->{'form' . ucfirst($name)} = $this->getForm($name);
        }
        $this->grids(['Endpoint', 'Provider', 'Limit']);
        $this->view->pick('OPNsense/YORI/settings');
    }

    public function trustAction()
    {
        $this->view->pick('OPNsense/YORI/trust');
    }

    /** A grid of rows and the dialog of one, by the name of the row. */
    private function grids(array $names)
    {
        foreach ($names as $name) {
            $this->view->{'formDialog' . $name} = $this->getForm('dialog' . $name);
            $this->view->{'formGrid' . $name} = $this->getFormGrid('dialog' . $name);
        }
    }
}
